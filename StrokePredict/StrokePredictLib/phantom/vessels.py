"""Large arteries and venous sinuses: tubes along paths in MNI mm, as fractions of voxels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

from .anatomy import Anatomy
from .occlusion import Occlusion

#: Paths on the right (MNI x > 0), mirrored for the left; points in mm, radius in mm at both ends. Calibres are
#: effective ones of echo-planar images, where the contrast agent's field reaches a little beyond the lumen.
PAIRED = {
    "ICA": ([(19, -16, -52), (20, -12, -42), (13, -4, -33), (11, 5, -26), (13, 3, -19), (14, 3, -14)], 2.7, 2.4),
    "M1 proximal": ([(14, 3, -14), (20, 7, -15), (26, 7, -14)], 2.1, 2.0),
    "M1 distal": ([(26, 7, -14), (33, 5, -13), (38, 3, -10)], 2.0, 1.8),
    "M2 superior": ([(38, 3, -10), (39, 10, 0), (41, 13, 9), (40, 7, 19), (46, 4, 25)], 1.6, 1.3),
    "M3 superior": ([(46, 4, 25), (52, 3, 33), (50, 0, 43), (45, -4, 53)], 1.1, 0.7),
    "M2 inferior": ([(38, 3, -10), (41, -6, -3), (41, -18, 5), (42, -30, 12), (50, -38, 16)], 1.6, 1.3),
    "M3 inferior": ([(50, -38, 16), (57, -44, 22), (52, -54, 33), (48, -62, 38)], 1.1, 0.7),
    "A1": ([(14, 3, -14), (9, 9, -15), (3, 14, -13)], 1.6, 1.4),
    "A2": ([(2, 14, -13), (2, 27, -8), (2, 36, 3), (2, 33, 17), (2, 18, 27), (2, -6, 34)], 1.4, 0.9),
    "PCA": ([(1, -18, -17), (10, -20, -15), (17, -27, -11), (20, -37, -6), (15, -52, 0), (12, -66, 4)], 1.5, 1.0),
}
MIDLINE_ARTERIES = {"basilar": ([(0, -34, -56), (0, -27, -44), (0, -21, -31), (0, -18, -17)], 1.9, 1.8)}
SINUSES = {
    "superior sagittal": (
        [
            (0, 70, 22),
            (0, 62, 44),
            (0, 42, 63),
            (0, 14, 77),
            (0, -18, 82),
            (0, -45, 78),
            (0, -68, 64),
            (0, -90, 44),
            (0, -103, 22),
            (0, -107, 2),
        ],
        1.6,
        4.2,
    ),
    "straight": ([(0, -40, 2), (0, -55, 10), (0, -80, 6), (0, -105, -1)], 1.5, 2.2),
    "torcula": ([(0, -107, 4), (0, -107, -6)], 4.6, 4.6),
}
PAIRED_SINUSES = {
    "transverse": (
        [(0, -106, -5), (22, -101, -13), (42, -84, -20), (56, -62, -26), (56, -50, -36), (48, -42, -48)],
        3.6,
        3.2,
    ),
    "internal cerebral": ([(2, -4, 14), (3, -22, 13), (1, -38, 6)], 1.0, 1.2),
}
#: What lies behind an occlusion at each site; behind the carotid the anterior cerebral artery fills from the other
#: side. Emboli and cerebellar branches are too small to be drawn.
BEHIND = {
    "ICA": ("M1 proximal", "M1 distal", "M2 superior", "M3 superior", "M2 inferior", "M3 inferior"),
    "M1 proximal": ("M1 distal", "M2 superior", "M3 superior", "M2 inferior", "M3 inferior"),
    "M1 distal": ("M2 superior", "M3 superior", "M2 inferior", "M3 inferior"),
    "M2 superior": ("M3 superior",),
    "M2 inferior": ("M3 inferior",),
}
_STEP_MM = 0.55


@dataclass(frozen=True)
class Vessels:
    """Volume fractions ``(n,)`` of the voxels of `Anatomy.inside`.

    Attributes
    ----------
    artery : numpy.ndarray
        Arteries that fill on time.
    late_artery : numpy.ndarray
        Branches behind the occlusion, filled late through collaterals.
    clot : numpy.ndarray
        The blocked stretch: no contrast agent arrives, and its field darkens T2*-weighted images.
    vein : numpy.ndarray
        Sinuses and deep veins.
    """

    artery: np.ndarray
    late_artery: np.ndarray
    clot: np.ndarray
    vein: np.ndarray


def build_vessels(anatomy: Anatomy, occlusion: Occlusion) -> Vessels:
    """Return the vessel fractions of one patient."""
    kinds = ("artery", "late_artery", "clot", "vein")
    parts = {kind: np.zeros(len(anatomy.inside), dtype=np.float32) for kind in kinds}
    for path in MIDLINE_ARTERIES.values():
        parts["artery"] += _tube(anatomy, *path)
    for path in SINUSES.values():
        parts["vein"] += _tube(anatomy, *path)
    for sign in (1.0, -1.0):
        for name, (points, *radii) in PAIRED.items():
            kind = _kind(name, occlusion) if sign == occlusion.sign else "artery"
            parts[kind] += _tube(anatomy, [(sign * x, y, z) for x, y, z in points], *radii)
        for points, *radii in PAIRED_SINUSES.values():
            parts["vein"] += _tube(anatomy, [(sign * x, y, z) for x, y, z in points], *radii)
    total = np.maximum(sum(parts.values()), 1.0)
    return Vessels(**{name: np.clip(part / total, 0, 1) for name, part in parts.items()})


def _kind(name: str, occlusion: Occlusion) -> str:
    if name == occlusion.site:
        return "clot"
    return "late_artery" if name in BEHIND.get(occlusion.site, ()) else "artery"


def _tube(anatomy: Anatomy, points: list, start_mm: float, end_mm: float) -> np.ndarray:
    """Return the fraction of each inside voxel that a tube fills, by counting fine points in the tube."""
    samples, share = _tube_points(np.asarray(points, dtype=np.float64), start_mm, end_mm)
    lps = anatomy.pose.to_ras(samples) * np.array([-1.0, -1.0, 1.0])
    affine = anatomy.grid.affine
    index = np.einsum("ij,nj->ni", np.linalg.inv(affine[:3, :3]), lps - affine[:3, 3])
    index = np.rint(index).astype(np.int64)[:, ::-1]
    shape = np.array(anatomy.grid.shape)
    valid = np.all((index >= 0) & (index < shape), axis=1)
    flat = np.ravel_multi_index(tuple(index[valid].T), anatomy.grid.shape)
    counts = np.bincount(flat, minlength=int(shape.prod()))[anatomy.inside]
    voxel_mm3 = float(np.prod(anatomy.grid.spacing))
    return (counts * (share / voxel_mm3)).astype(np.float32)


def _tube_points(path: np.ndarray, start_mm: float, end_mm: float) -> tuple[np.ndarray, float]:
    """Return points of a fine cubic lattice inside the tube, and the volume (mm³) that each stands for."""
    line = _smooth_line(path)
    widest = max(start_mm, end_mm)
    low, high = line.min(axis=0) - widest, line.max(axis=0) + widest
    axes = [np.arange(a, b + _STEP_MM, _STEP_MM) for a, b in zip(low, high, strict=True)]
    radius = np.linspace(start_mm, end_mm, len(line))
    found = np.zeros([len(a) for a in axes], dtype=bool)
    for centre, r in zip(line, radius, strict=True):
        box = [slice(*np.searchsorted(a, (c - r, c + r))) for a, c in zip(axes, centre, strict=True)]
        square = [(a[s] - c) ** 2 for a, s, c in zip(axes, box, centre, strict=True)]
        found[tuple(box)] |= square[0][:, None, None] + square[1][None, :, None] + square[2] <= r * r
    index = np.argwhere(found)
    return np.stack([a[i] for a, i in zip(axes, index.T, strict=True)], axis=1), _STEP_MM**3


def _smooth_line(path: np.ndarray) -> np.ndarray:
    """Return a smooth curve through the points, sampled about every half millimetre."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    at = np.linspace(0.0, length[-1], max(int(length[-1] / 0.5), 2))
    curve = CubicSpline if len(path) > 2 else PchipInterpolator
    return curve(length, path, axis=0)(at)
