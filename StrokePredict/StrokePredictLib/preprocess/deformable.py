"""A smooth deformation on top of a rigid or affine registration, kept only where it makes the images more alike."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import SimpleITK
from scipy import ndimage, optimize

from ..errors import StrokeError
from ..io.images import from_itk, to_itk
from ..volume import Volume
from .control_grid import ControlGrid
from .deformation import Deformation, volume_change
from .local_correlation import LocalCorrelation, information, remapped
from .pyramid import compressed

#: Voxel size of the working grids (mm) and iterations on each, coarse first.
WORKING = ((6.0, 30), (3.0, 20))
#: The working box reaches this far beyond the brain (mm).
_BOX_MM = 10.0
#: Distance of control points (mm): oedema and EPI distortion bend tissue over centimetres.
CONTROL_MM = 30.0
#: Standard deviation of the window in which images are compared (mm).
WINDOW_MM = 6.0
#: What a mean squared second difference of 1 mm² between control points costs in correlation.
STIFFNESS = 0.0003
#: A lesion is left out with this margin (mm): oedema's seam and the readers' line.
LESION_MARGIN_MM = 5.0
#: Changes of volume that tissue in a living head can have taken; outside, the field has folded or torn.
JACOBIAN = (0.5, 2.0)
#: The rigid answer is kept where the correlation gains less. Aligned heads gain 0.006 by their noise alone; under the
#: least correlation the two contrasts differ too much for edges to be told from partial volumes (FLAIR on b0).
SMALLEST_GAIN, LEAST_CORRELATION = 0.010, 0.70


def register_deformable(
    fixed: Volume,
    moving: Volume,
    matrix: np.ndarray,
    *,
    brain: Volume,
    lesion: Volume | None = None,
    least: float = LEAST_CORRELATION,
) -> Deformation:
    """Find the smooth deformation that a rigid or affine registration leaves.

    Local correlation in Gaussian windows, the fixed image shown in the moving one's contrast, over cubic B-splines
    with bending energy (Rueckert et al, IEEE Trans Med Imaging 18 (1999) 712), by L-BFGS on two working grids. Only
    the brain is compared: around it one contrast's fluid lies beside another's bone.

    Parameters
    ----------
    fixed, moving : Volume
        3D.
    matrix : numpy.ndarray
        4×4, LPS mm of the fixed image to LPS mm of the moving one.
    brain : Volume
        bool, on the fixed image's grid.
    lesion : Volume, optional
        bool, there too: what has changed its look between the images, and is left out.
    least : float
        Correlation that must be reached.

    Raises
    ------
    StrokeError
        If there is no brain to compare.
    """
    fixed.require_same_grid(brain)
    if np.count_nonzero(brain.array) < 500 or min(fixed.shape) < 3:
        raise StrokeError(f"{fixed.name}: too little brain for a deformable registration.")
    coefficients = None
    for size_mm, iterations in WORKING:
        pair = _pair(fixed, moving, matrix, brain, lesion, size_mm)
        coefficients = pair.optimise(coefficients, iterations)
    found = pair.judged(coefficients, matrix)
    return replace(found, rejected=_reason(found, least))


@dataclass(frozen=True)
class _Pair:
    """Two images on one working grid.

    Attributes
    ----------
    grid : Volume
        The working grid.
    inside, weight : numpy.ndarray
        Brain (bool), and what each voxel counts, ``(z, y, x)``.
    fixed : numpy.ndarray
        The fixed image on it.
    moving : numpy.ndarray
        The moving image on its own grid, smoothed.
    to_index : numpy.ndarray
        4×4, LPS mm of the fixed image to the moving image's ``(x, y, z)`` index.
    controls : ControlGrid
        The lattice.
    """

    grid: Volume
    inside: np.ndarray
    weight: np.ndarray
    fixed: np.ndarray
    moving: np.ndarray
    to_index: np.ndarray
    controls: ControlGrid

    def warped(self, shift: np.ndarray) -> np.ndarray:
        """Return the moving image seen through displacements ``(3, z, y, x)``."""
        index = self._index(shift)
        values = ndimage.map_coordinates(self.moving, index, order=1, mode="nearest")
        return values.reshape(self.grid.shape)

    def _index(self, shift: np.ndarray) -> np.ndarray:
        affine = self.grid.affine
        voxels = np.indices(self.grid.shape)[::-1].reshape(3, -1)
        place = affine[:3, :3] @ voxels + affine[:3, 3:] + shift.reshape(3, -1)
        return (self.to_index[:3, :3] @ place + self.to_index[:3, 3:])[::-1]

    def where_seen(self) -> np.ndarray:
        """Return where the moving image reaches without displacement."""
        index = self._index(np.zeros((3, 1)))
        last = np.array(self.moving.shape)[:, None] - 0.5
        return np.all((index >= -0.5) & (index <= last), axis=0).reshape(self.grid.shape)

    def likeness(self, image: np.ndarray) -> LocalCorrelation:
        """Return the comparison with the fixed image in the contrast of a warped moving one."""
        shown = remapped(self.fixed, image, self.weight > 0)
        return LocalCorrelation(shown, self.weight, WINDOW_MM / float(self.grid.spacing[0]))

    def optimise(self, start: np.ndarray | None, iterations: int) -> np.ndarray:
        """Return the coefficients after at most twice this many iterations."""
        coefficients = np.zeros(self.controls.shape) if start is None else start
        for _ in range(2):  # the contrast is learned anew once the images lie closer
            alike = self.likeness(self.warped(self.controls.displacements(coefficients)))
            found = optimize.minimize(
                self._cost, coefficients.ravel(), args=(alike,), jac=True, method="L-BFGS-B",
                options={"maxiter": iterations, "maxcor": 8},
            )  # fmt: skip
            coefficients = found.x.reshape(self.controls.shape)
        return coefficients

    def _cost(self, flat: np.ndarray, alike: LocalCorrelation) -> tuple[float, np.ndarray]:
        coefficients = flat.reshape(self.controls.shape)
        image = self.warped(self.controls.displacements(coefficients))
        value, by_image = alike(image)
        slopes = np.stack(np.gradient(image, float(self.grid.spacing[0])))[::-1]  # along the grid's x, y, z
        by_shift = np.tensordot(self.grid.direction, slopes, axes=(1, 0)) * by_image
        bent, by_bent = self.controls.bending(coefficients)
        return STIFFNESS * bent - value, (STIFFNESS * by_bent - self.controls.gathered(by_shift)).ravel()

    def judged(self, coefficients: np.ndarray, matrix: np.ndarray) -> Deformation:
        """Return the deformation with its quality figures."""
        shift = self.controls.displacements(coefficients).astype(np.float32)
        images = [self.warped(field) for field in (np.zeros_like(shift), shift)]
        before, after = (self.likeness(image)(image)[0] for image in images)
        told = tuple(information(self.fixed, image, self.weight > 0) for image in images)
        field = Volume(shift, self.grid.affine, name="displacements")
        change = volume_change(field)[self.inside]
        length = np.linalg.norm(shift, axis=0)[self.inside]
        moved = (float(np.median(length)), float(np.percentile(length, 95)))
        return Deformation(matrix, field, before, after, told, (float(change.min()), float(change.max())), moved)


def _pair(
    fixed: Volume, moving: Volume, matrix: np.ndarray, brain: Volume, lesion: Volume | None, size_mm: float
) -> _Pair:
    grid, box = _working_grid(brain, size_mm)
    inside = _on(grid, brain) > 0.5
    weight = inside.astype(np.float32)
    if lesion is not None and lesion.array.any():
        rounds = max(1, round(LESION_MARGIN_MM / size_mm))
        weight[ndimage.binary_dilation(_on(grid, lesion) > 0.3, iterations=rounds)] = 0.0
    image = _smoothed(moving, size_mm)
    pair = _Pair(
        grid, inside, weight, _on(grid, _smoothed(fixed, size_mm)), image.array, np.linalg.inv(image.affine) @ matrix,
        ControlGrid(grid.shape, size_mm, CONTROL_MM, box),
    )  # fmt: skip
    weight[~pair.where_seen()] = 0.0
    return pair


def _reason(found: Deformation, least: float) -> str:
    """Return why a deformation must not be used; empty where it may."""
    if found.correlation < least:
        return "the two contrasts differ too much"
    if found.jacobian[0] < JACOBIAN[0] or found.jacobian[1] > JACOBIAN[1]:
        return f"it would change volumes by × {found.jacobian[0]:.2f} to {found.jacobian[1]:.2f}"
    if found.correlation - found.before < SMALLEST_GAIN or found.information[1] <= found.information[0]:
        return "it makes the images hardly more alike"
    return ""


def _working_grid(brain: Volume, size_mm: float) -> tuple[Volume, tuple[float, ...]]:
    """Return an empty grid of even voxels over the brain mask's box, along its axes, and the box's size (z, y, x)."""
    index = np.argwhere(brain.array > 0)[:, ::-1]
    size = brain.spacing
    low = np.maximum(index.min(axis=0) * size - _BOX_MM, -0.5 * size)
    high = np.minimum(index.max(axis=0) * size + _BOX_MM, (np.array(brain.shape[::-1]) - 0.5) * size)
    count = np.maximum(np.floor((high - low) / size_mm).astype(int) + 1, 2)
    affine = np.eye(4)
    affine[:3, :3] = brain.direction * size_mm
    affine[:3, 3] = brain.origin + brain.direction @ ((low + high) / 2 - (count - 1) * size_mm / 2)
    grid = Volume(np.zeros(count[::-1], np.float32), affine, name="working grid")
    return grid, tuple(float(extent) for extent in (high - low)[::-1])


def _smoothed(image: Volume, size_mm: float) -> Volume:
    sigma = [0.4 * size_mm / s if s < size_mm else 0.0 for s in image.spacing[::-1]]
    return image.with_array(ndimage.gaussian_filter(compressed(image.array), sigma, mode="nearest"))


def _on(grid: Volume, image: Volume) -> np.ndarray:
    """Return an image on a grid by position, linearly; of a mask, its share of the voxel."""
    source = image.with_array(image.array.astype(np.float32))
    if image.array.dtype == bool:
        sigma = [0.4 * g / s if s < g else 0.0 for g, s in zip(grid.spacing[::-1], image.spacing[::-1], strict=True)]
        source = source.with_array(ndimage.gaussian_filter(source.array, sigma, mode="nearest"))
    identity = SimpleITK.Transform(3, SimpleITK.sitkIdentity)
    return from_itk(SimpleITK.Resample(to_itk(source), to_itk(grid), identity, SimpleITK.sitkLinear, 0.0)).array
