"""A patient's brain and the MNI152 template: an affine and a smooth deformation between them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK

from ..errors import StrokeError
from ..volume import Volume
from .deformable import register_deformable
from .deformation import Deformation, affine_transform
from .pyramid import Level, levels
from .registration import HEAD_RADIUS_MM
from .resample import through

_MAPS = Path(__file__).resolve().parent.parent / "data" / "mni152.npz"
#: Brains are between these times the template's size along each axis; outside, the fit has failed.
_SIZES = (0.7, 1.35)
#: Mutual information (nats) below which template and patient have hardly anything in common: slabs of CT that end
#: anywhere have 0.10, plain CT of whole heads 0.27.
SMALLEST_INFORMATION = 0.15
#: Local correlation that a deformed template must reach. Simulated patients, made from this template, reach 0.7 to 0.9;
#: a real DWI 0.45, as a T1 average of 152 heads is a blurred likeness of anybody's folds.
LEAST_CORRELATION = 0.40


@dataclass(frozen=True)
class TemplateFit:
    """Where the template's places lie in a patient.

    Attributes
    ----------
    matrix : numpy.ndarray
        4×4 from MNI LPS mm to the patient's LPS mm; its inverse leads to the template.
    information : float
        Mutual information in nats.
    failure : str
        Why it must not be used; empty where it may.
    """

    matrix: np.ndarray
    information: float
    failure: str = ""

    def transform(self) -> SimpleITK.Transform:
        """Return the map from MNI LPS mm to the patient's."""
        return affine_transform(self.matrix)

    def inverse(self) -> SimpleITK.Transform:
        """Return the map from the patient's LPS mm to MNI's."""
        return affine_transform(np.linalg.inv(self.matrix))

    def to_patient(self, mni_ras: np.ndarray) -> np.ndarray:
        """Return the patient's LPS mm ``(n, 3)`` of MNI coordinates as atlases print them, RAS mm ``(n, 3)``."""
        lps = np.asarray(mni_ras, dtype=float) * [-1.0, -1.0, 1.0]
        return lps @ self.matrix[:3, :3].T + self.matrix[:3, 3]

    def to_mni(self, lps: np.ndarray) -> np.ndarray:
        """Return MNI coordinates, RAS mm ``(n, 3)``, of places in the patient, LPS mm ``(n, 3)``."""
        inverse = np.linalg.inv(self.matrix)
        return (np.asarray(lps, dtype=float) @ inverse[:3, :3].T + inverse[:3, 3]) * [-1.0, -1.0, 1.0]


@functools.cache
def template() -> Volume:
    """Return the T1-weighted MNI152 brain at 2 mm, 0 outside, on a grid in LPS."""
    with np.load(_MAPS) as maps:
        array = maps["t1"].transpose(2, 1, 0).astype(np.float32)
        corner = maps["origin_2mm"] * [-1.0, -1.0, 1.0]
    affine = np.diag([-2.0, -2.0, 2.0, 1.0])
    affine[:3, 3] = corner
    return Volume(array, affine, name="MNI152 template")


def fit_template(image: Volume, brain: Volume, *, seed: int = 0) -> TemplateFit:
    """Fit the template to a patient's brain by an affine.

    Mattes' mutual information inside the template's brain, from the two brains' centres and sizes on each other.

    Parameters
    ----------
    image : Volume
        3D; any contrast.
    brain : Volume
        bool, on its grid.
    seed : int
        For the sampling of voxels.

    Raises
    ------
    StrokeError
        If the mask is empty or the image a single section.
    """
    image.require_same_grid(brain)
    inside = brain.array > 0
    if min(image.shape) < 3 or np.count_nonzero(inside) < 500:
        raise StrokeError(f"{image.name}: too little brain to find the template in it.")
    fixed = template()
    moving = image.with_array(np.where(inside, image.array, 0.0).astype(np.float32))
    where = fixed.with_array(_grown(fixed))
    transform = _start(fixed, brain, inside)
    pyramid = levels(fixed, moving, where)[:2]
    for level in pyramid:
        _optimise(level, transform, seed)
    matrix = _matrix_of(transform)
    information = -float(_method(pyramid[-1], transform, seed).MetricEvaluate(pyramid[-1].fixed, pyramid[-1].moving))
    return TemplateFit(matrix, information, _failure(matrix, information))


def warp_template(image: Volume, fit: TemplateFit, *, lesion: Volume | None = None) -> Deformation:
    """Bend the template onto a patient's brain, from an affine fit on.

    Parameters
    ----------
    image : Volume
        3D; any contrast that tells grey matter, white matter and fluid apart.
    fit : TemplateFit
        From `fit_template`.
    lesion : Volume, optional
        bool, on the patient: what no template shows, left out.

    Returns
    -------
    Deformation
        From the template's places to the patient's; `Deformation.rejected` says where the affine has to do.

    Raises
    ------
    StrokeError
        If the affine had failed.
    """
    if fit.failure:
        raise StrokeError(f"{image.name}: cannot be bent onto the template: {fit.failure}.")
    fixed = template()
    brain = fixed.with_array(fixed.array > 0)
    left_out = None if lesion is None else through(lesion, fixed, fit.transform(), is_mask=True)
    return register_deformable(fixed, image, fit.matrix, brain=brain, lesion=left_out, least=LEAST_CORRELATION)


def to_template(image: Volume, found: TemplateFit | Deformation, *, is_mask: bool = False) -> Volume:
    """Return an image of the patient on the template's grid; masks by nearest neighbour."""
    return through(image, template(), found.transform(), is_mask=is_mask)


def from_template(
    image: Volume, reference: Volume, found: TemplateFit | Deformation, *, is_mask: bool = False
) -> Volume:
    """Return an image in the template's space on the patient's grid: brings results home."""
    return through(image, reference, found.inverse(), is_mask=is_mask)


def _grown(fixed: Volume) -> np.ndarray:
    from scipy import ndimage

    return ndimage.binary_dilation(fixed.array > 0, iterations=3)


def _start(fixed: Volume, brain: Volume, inside: np.ndarray) -> SimpleITK.AffineTransform:
    """Return the affine that lays the brains' centres on each other and scales by their extents."""
    here, there = _places(fixed, fixed.array > 0), _places(brain, inside)
    centre, target = here.mean(axis=0), there.mean(axis=0)
    # A slab shows its whole width and depth, but not its height.
    scale = float(np.mean((there.std(axis=0) / here.std(axis=0))[:2]))
    transform = SimpleITK.AffineTransform(3)
    transform.SetCenter(centre.tolist())
    transform.SetMatrix((np.eye(3) * np.clip(scale, 0.8, 1.2)).ravel().tolist())
    shift = target - centre
    if np.ptp(there[:, 2]) < 0.75 * np.ptp(here[:, 2]) * scale:
        shift[2] = there[:, 2].max() - here[:, 2].max()
    transform.SetTranslation(shift.tolist())
    return transform


def _places(volume: Volume, mask: np.ndarray) -> np.ndarray:
    index = np.argwhere(mask)[:, ::-1]
    index = index[:: max(1, len(index) // 20_000)]
    return index @ volume.affine[:3, :3].T + volume.affine[:3, 3]


def _method(level: Level, transform: SimpleITK.Transform, seed: int) -> SimpleITK.ImageRegistrationMethod:
    method = SimpleITK.ImageRegistrationMethod()
    method.SetNumberOfWorkUnits(4)  # sums in a fixed number of parts: the same answer on every run
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=32)
    method.SetMetricFixedMask(level.mask)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(min(level.share, 0.5), seed + 1)
    method.SetInterpolator(SimpleITK.sitkLinear)
    method.SetInitialTransform(transform, inPlace=True)
    return method


def _optimise(level: Level, transform: SimpleITK.AffineTransform, seed: int) -> None:
    method = _method(level, transform, seed)
    method.SetOptimizerAsPowell(
        numberOfIterations=5, maximumLineIterations=12, stepLength=level.step_mm, stepTolerance=0.03 * level.step_mm,
        valueTolerance=2e-4,
    )  # fmt: skip
    method.SetOptimizerScales([HEAD_RADIUS_MM] * 9 + [1.0] * 3)
    try:
        method.Execute(level.fixed, level.moving)
    except RuntimeError as error:
        raise StrokeError("the brain and the template do not overlap; check the image's orientation.") from error


def _matrix_of(transform: SimpleITK.AffineTransform) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3)
    matrix[:3, 3] = transform.TransformPoint((0.0, 0.0, 0.0))
    return matrix


def _failure(matrix: np.ndarray, information: float) -> str:
    sizes = np.linalg.svd(matrix[:3, :3], compute_uv=False)
    if information < SMALLEST_INFORMATION:
        return f"template and patient have hardly anything in common (mutual information {information:.2f})"
    if sizes.min() < _SIZES[0] or sizes.max() > _SIZES[1] or np.linalg.det(matrix[:3, :3]) < 0:
        return f"it would scale the brain by {sizes.min():.2f} to {sizes.max():.2f}"
    return ""
