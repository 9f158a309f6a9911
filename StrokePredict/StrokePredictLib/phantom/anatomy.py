"""A patient's head: tissue fractions of MNI152, warped."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from .chronic import old_infarcts, ventricle_distance, white_matter_lesions
from .fields import rising, smooth_field, stream
from .grid import Grid

_MAPS = Path(__file__).resolve().parent.parent / "data" / "mni152.npz"
#: Half millimetres around this zero (`bake`).
_DISTANCE_ZERO = 128
#: Sub-sections through a section's thickness, so that thick sections blur as they do on a scanner.
_SUBSECTIONS = 4
#: Nothing that gives signal lies further outside the inner skull (mm).
_SCALP_MM = 22.0
#: MNI point about which heads turn and scale.
_PIVOT = np.array([0.0, -17.0, 5.0])
#: MNI centre of the lateral ventricles, about which they widen with age.
_VENTRICLES = np.array([0.0, -12.0, 16.0])


@dataclass(frozen=True)
class Pose:
    """How a head's MNI coordinates lie in the scanner.

    Attributes
    ----------
    matrix : numpy.ndarray
        3×3, MNI mm (RAS) to patient RAS mm, about `_PIVOT`: size and rotation.
    shift : numpy.ndarray
        mm, patient RAS.
    pitch_deg : float
        The nod of the head; positive: chin up.
    """

    matrix: np.ndarray
    shift: np.ndarray
    pitch_deg: float

    def to_mni(self, ras: np.ndarray) -> np.ndarray:
        """Return MNI mm of patient RAS mm, ``(n, 3)``."""
        inverse = np.linalg.inv(self.matrix)
        return np.einsum("ij,nj->ni", inverse, ras - _PIVOT - self.shift) + _PIVOT

    def to_ras(self, mni: np.ndarray) -> np.ndarray:
        """Return patient RAS mm of MNI mm, ``(n, 3)``."""
        return np.einsum("ij,nj->ni", self.matrix, mni - _PIVOT) + _PIVOT + self.shift


@dataclass(frozen=True)
class Anatomy:
    """Tissue of one head on one grid; flat arrays run over the voxels in `inside`.

    Attributes
    ----------
    grid : Grid
        Where.
    pose : Pose
        How MNI lies in the scanner.
    inside : numpy.ndarray
        ``(n,)`` flat voxel numbers of the cranial cavity (brain and the fluid around it).
    mni : numpy.ndarray
        ``(n, 3)`` MNI mm of these voxels' centres, anatomical deformation included.
    grey, white, csf : numpy.ndarray
        ``(n,)`` fractions of the voxel; their sum is below 1 where skull is in it.
    skull_mm : numpy.ndarray
        ``(z, y, x)`` signed distance to the inner skull; negative inside.
    wm_lesion : numpy.ndarray
        ``(n,)`` share of the voxel that is a chronic white-matter lesion (leukoaraiosis).
    old_infarct : numpy.ndarray
        ``(n,)`` share of the voxel that is the gliotic rim or the cyst of an old infarct.
    """

    grid: Grid
    pose: Pose
    inside: np.ndarray
    mni: np.ndarray
    grey: np.ndarray
    white: np.ndarray
    csf: np.ndarray
    skull_mm: np.ndarray
    wm_lesion: np.ndarray
    old_infarct: np.ndarray

    @property
    def brain(self) -> np.ndarray:
        """``(n,)`` True where at least half of the voxel is parenchyma or fluid enclosed by it."""
        return (self.grey + self.white + self.csf) >= 0.5

    @property
    def solid(self) -> np.ndarray:
        """``(n,)`` True where more than 35 % of the voxel is living grey or white matter: what can be infarcted."""
        return (self.grey + self.white - self.old_infarct) > 0.35

    def depth_mm(self) -> np.ndarray:
        """Return ``(n,)`` the depth under the inner skull in mm."""
        return -self.skull_mm.ravel()[self.inside]

    def on_grid(self, values: np.ndarray, outside: float = 0.0) -> np.ndarray:
        """Return ``(n,)`` values of the inside voxels as ``(z, y, x)``."""
        full = np.full(int(np.prod(self.grid.shape)), outside, dtype=values.dtype)
        full[self.inside] = values
        return full.reshape(self.grid.shape)


def draw_pose(seed: int, female: bool) -> Pose:
    """Return a random head size, orientation and place in the scanner."""
    rng = stream(seed, "pose")
    # Smaller than the template, which came out larger than its 152 brains.
    size = (0.905 if female else 0.935) * np.exp(rng.normal(0, 0.022)) * np.exp(rng.normal(0, 0.018, 3))
    pitch, roll, yaw = rng.normal(0, (5.0, 1.8, 2.2))
    matrix = _rotation(pitch, roll, yaw) @ np.diag(size)
    return Pose(matrix, rng.normal(0, (2.5, 3.0, 2.0)), float(pitch))


def build_anatomy(seed: int, grid: Grid, pose: Pose, age: float) -> Anatomy:
    """Return the head of one patient.

    Parameters
    ----------
    seed : int
        The patient.
    grid : Grid
        Where it is imaged.
    pose : Pose
        From `draw_pose`.
    age : float
        Years; ventricles and sulci widen with it.
    """
    index = np.stack(np.unravel_index(np.arange(int(np.prod(grid.shape))), grid.shape)[::-1], axis=1).astype(np.float64)
    mni = pose.to_mni(_flip(grid.points_lps(index)))
    skull_mm = _distance("skull", mni)
    rng = stream(seed, "anatomy")
    head = np.flatnonzero(skull_mm < _SCALP_MM)
    mni[head] = _bend(rng, mni[head], age)
    skull_mm[head] = _distance("skull", mni[head])
    inside = head[skull_mm[head] < 3.0]
    bent = mni[inside]
    atrophy = (age - 60.0) / 25.0 + rng.normal(0, 0.35)
    step = pose.to_mni(_flip(grid.points_lps(np.array([[0.0, 0, 1], [0, 0, 0]]))))
    grey, white, csf = _tissue(bent, step[0] - step[1], atrophy)
    # The subarachnoid space hugs the brain; what else the hollow of the skull holds is bone and air of its base.
    rim_mm = _distance("rim", bent)
    cavity = rising(1.0 - np.maximum(skull_mm[inside], rim_mm - 1.0), 1.5)
    csf = np.minimum(csf + np.clip(1.0 - grey - white - csf, 0, 1) * cavity, 1.0)
    skull_mm = skull_mm.reshape(grid.shape).astype(np.float32)
    healthy = Anatomy(grid, pose, inside, bent, grey, white, csf, skull_mm, np.zeros_like(grey), np.zeros_like(grey))
    return _aged(seed, age, healthy)


def _aged(seed: int, age: float, healthy: Anatomy) -> Anatomy:
    """Return the head with its white-matter lesions and old infarcts."""
    grid = healthy.grid
    places = np.stack([healthy.on_grid(healthy.mni[:, k], 999.0) for k in range(3)], axis=-1)
    gap = ventricle_distance(healthy.on_grid(healthy.csf), places, healthy.skull_mm, grid.spacing[::-1])
    voxel_ml = float(np.prod(grid.spacing)) / 1000.0
    old = old_infarcts(seed, age, healthy.mni, healthy.grey + healthy.white)
    gap = gap.ravel()[healthy.inside]
    lesion = white_matter_lesions(seed, age, healthy.mni, healthy.white, gap, voxel_ml) * (1.0 - old)
    return replace(healthy, wm_lesion=lesion.astype(np.float32), old_infarct=old)


def _tissue(mni: np.ndarray, section: np.ndarray, atrophy: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return grey, white and CSF fractions averaged over the thickness ``section`` (mm, MNI) of each voxel."""
    total = [np.zeros(len(mni), dtype=np.float32) for _ in range(3)]
    for k in range(_SUBSECTIONS):
        place = mni + section * ((k + 0.5) / _SUBSECTIONS - 0.5)
        for part, value in zip(total, _fractions(place, atrophy), strict=True):
            part += value / _SUBSECTIONS
    return total[0], total[1], total[2]


def _fractions(mni: np.ndarray, atrophy: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split each point among grey matter, white matter and CSF.

    The template's maps average 152 folded brains: its narrow sulci have vanished from the grey-matter map but leave the
    T1 map dark. Fluid is what neither map claims, or what T1 shows, whichever is more.
    """
    grey, white, t1 = (_sample(name, mni) / 255.0 for name in ("gm", "wm", "t1"))
    in_brain = rising(t1 - 0.10, 0.06)
    dark = np.clip((0.60 + 0.060 * np.clip(atrophy, -1.5, 2.0) - t1) / 0.28, 0, 1)
    fluid = np.maximum(np.clip(1.0 - grey - white, 0, 1), dark) * in_brain
    solid = np.maximum(grey + white, 1e-3)
    share = np.minimum(in_brain - fluid, 1.0) / solid
    return grey * share, white * share, fluid


def _bend(rng: np.random.Generator, mni: np.ndarray, age: float) -> np.ndarray:
    """Return MNI points after the patient's own deformation: wider ventricles, and a smooth random part."""
    bent = mni + 2.0 * np.stack([smooth_field(rng, mni, 45.0) for _ in range(3)], axis=1)
    offset = bent - _VENTRICLES
    near = np.exp(-0.5 * (offset[:, :2] ** 2).sum(1) / 26.0**2 - 0.5 * offset[:, 2] ** 2 / 22.0**2)
    widening = np.clip(0.006 * (age - 50.0) + rng.normal(0.02, 0.05), -0.08, 0.32)
    return bent - offset * (widening * near)[:, None]


def _distance(name: str, mni: np.ndarray) -> np.ndarray:
    """Return mm from the inner skull or the brain's surface ("rim"), positive outside."""
    return (_sample(name, mni, outside=255) - _DISTANCE_ZERO) / 2


def _sample(name: str, mni: np.ndarray, outside: float = 0.0) -> np.ndarray:
    data, origin, size = _baked()[name]
    place = ((mni - origin) / size).T.astype(np.float32)
    return ndimage.map_coordinates(data, place, order=1, mode="constant", cval=outside)


@functools.cache
def _baked() -> dict[str, tuple[np.ndarray, np.ndarray, float]]:
    with np.load(_MAPS) as file:
        fine = {name: (file[name].astype(np.float32), file["origin_2mm"], 2.0) for name in ("gm", "wm", "t1")}
        return fine | {name: (file[name].astype(np.float32), file["origin_4mm"], 4.0) for name in ("skull", "rim")}


def _rotation(pitch: float, roll: float, yaw: float) -> np.ndarray:
    """Return the rotation about x (pitch), y (roll) and z (yaw), degrees."""
    (cx, sx), (cy, sy), (cz, sz) = ((np.cos(a), np.sin(a)) for a in np.deg2rad([pitch, roll, yaw]))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def _flip(points: np.ndarray) -> np.ndarray:
    """Turn LPS mm into RAS mm, or back."""
    return points * np.array([-1.0, -1.0, 1.0])
