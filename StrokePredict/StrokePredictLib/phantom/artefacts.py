"""What goes wrong in a scan: head motion, coil shading, ghosts, distortion, a late or cut bolus, beam hardening."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from .fields import stream
from .grid import Grid
from .protocols import CTScanner, Scanner

#: Share of patients in whom each is marked; in the others it is mild or absent.
MARKED_SHARE = {
    "MR": {
        "motion": 0.12, "shading": 0.08, "ghosting": 0.06, "distortion": 0.10, "cut bolus": 0.05, "late bolus": 0.06,
    },
    "CT": {"motion": 0.12, "beam hardening": 0.10, "cut bolus": 0.06, "late bolus": 0.06},
}  # fmt: skip
#: One number among many, taken so that patient 0, who is shown first, is a typical one.
_SALT = 2
#: The middle of the head (LPS mm), about which it turns.
_PIVOT_LPS = np.array([0.0, 17.0, 5.0])


@dataclass(frozen=True, eq=False)
class Artefacts:
    """The artefacts of one patient's first session.

    Attributes
    ----------
    motion : numpy.ndarray
        ``(t, 6)`` of the perfusion series: shift (mm, LPS) and rotation vector (degrees) of the head against its first
        frame; empty for none.
    shading : float
        SD of the logarithm of the receiving coils' sensitivity.
    ghost : float
        Share of the signal that echo-planar images show half a field of view away along the phase direction.
    distortion_mm : float
        Largest shift of echo-planar images along the phase direction (above the frontal and ethmoid sinuses).
    lost_frames : int
        By how many frames the perfusion series ends too early.
    late_s : float
        By how much the bolus comes later than planned (s).
    beam_hardening_hu : float
        Depth of the dark band between the petrous bones.
    marked : tuple of str
        Names of those that a reader would remark on.
    """

    motion: np.ndarray = field(default_factory=lambda: np.zeros((0, 6)))
    shading: float = 0.10
    ghost: float = 0.0
    distortion_mm: float = 0.0
    lost_frames: int = 0
    late_s: float = 0.0
    beam_hardening_hu: float = 0.0
    marked: tuple[str, ...] = ()

    def motion_of(self, frame: int) -> np.ndarray | None:
        """Return shift and rotation of one frame, None where the head lies still."""
        return self.motion[frame] if frame < len(self.motion) and self.motion[frame].any() else None

    def times(self, scanner: Scanner | CTScanner) -> np.ndarray:
        """Return ``(t,)`` s of the frames that were recorded."""
        return scanner.times[: scanner.frames - self.lost_frames]

    def record(self) -> dict[str, Any]:
        """Return plain data for a file: every number, and what is marked."""
        moved_mm = np.linalg.norm(self.motion[:, :3], axis=1).max() if len(self.motion) else 0.0
        turned = np.linalg.norm(self.motion[:, 3:], axis=1).max() if len(self.motion) else 0.0
        numbers = {
            "motion_mm": moved_mm, "motion_deg": turned, "shading": self.shading, "ghost": self.ghost,
            "distortion_mm": self.distortion_mm, "late_s": self.late_s, "beam_hardening_hu": self.beam_hardening_hu,
        }  # fmt: skip
        rounded = {name: round(float(value), 3) for name, value in numbers.items()}
        return rounded | {"lost_frames": self.lost_frames, "marked": list(self.marked)}


#: A scan without artefacts but for the usual shading.
NONE = Artefacts()


def draw(seed: int, scanner: Scanner | CTScanner) -> Artefacts:
    """Return the artefacts of one patient in one scanner.

    Parameters
    ----------
    seed : int
        The patient.
    scanner : Scanner or CTScanner
        At 1.5 T distortion is half as large; CT has neither ghosts, shading nor distortion.
    """
    rng = np.random.default_rng([int(stream(seed, "artefacts").integers(2**32)), _SALT])
    share = MARKED_SHARE[scanner.modality]
    # Every number is drawn whether used or not: one artefact more or less changes none of the others.
    bad = {name: bool(rng.random() < p) for name, p in share.items()}
    # On CT the head lies in a cradle; a tenth of a millimetre already shows beside bone.
    motion = draw_motion(rng, scanner.frames, bad["motion"], drift=0.5 if scanner.modality == "MR" else 0.15)
    late = float(rng.uniform(5.0, 9.0) if bad["late bolus"] else rng.uniform(0.0, 1.0))
    lost = float(rng.uniform(0.28, 0.38)) if bad["cut bolus"] else 0.0
    common = {"motion": motion, "late_s": late, "lost_frames": int(lost * scanner.frames)}
    marked = tuple(name for name, found in bad.items() if found)
    if scanner.modality == "CT":
        band = rng.uniform(8.0, 14.0) if bad["beam hardening"] else rng.uniform(0.0, 4.0)
        return Artefacts(**common, shading=0.0, beam_hardening_hu=float(band), marked=marked)
    field_share = scanner.tesla / 3.0
    return Artefacts(
        **common,
        shading=float(rng.uniform(0.18, 0.26) if bad["shading"] else rng.uniform(0.06, 0.12)),
        ghost=float(rng.uniform(0.05, 0.10) if bad["ghosting"] else rng.uniform(0.0, 0.02)),
        distortion_mm=float(field_share * (rng.uniform(5.0, 8.0) if bad["distortion"] else rng.uniform(0.5, 2.5))),
        marked=marked,
    )


def draw_motion(rng: np.random.Generator, frames: int, marked: bool, drift: float = 1.0) -> np.ndarray:
    """Return ``(frames, 6)`` mm and degrees: a slow drift, and in restless patients turns that stay or pass."""
    knots = rng.normal(0, drift, (5, 6)) * np.array([0.10, 0.12, 0.20, 0.20, 0.08, 0.12])
    knots[0] = 0.0
    at = np.linspace(0, 4, frames)
    motion = np.stack([np.interp(at, np.arange(5), column) for column in knots.cumsum(axis=0).T], axis=1)
    jumps = rng.integers(1, 4)
    starts = rng.integers(4, max(frames - 3, 5), jumps)
    stays = np.where(rng.random(jumps) < 0.5, frames, rng.integers(2, 5, jumps))
    sizes = rng.normal(0, 1, (jumps, 6)) * np.array([1.2, 1.0, 2.0, 2.0, 0.8, 2.2])
    if marked:
        for start, stay, size in zip(starts, stays, sizes, strict=True):
            # No jump that a reader calls marked is smaller than 2 mm.
            size[:3] *= max(1.0, 2.0 / np.linalg.norm(size[:3]))
            motion[start : start + stay] += size
    motion[0] = 0.0
    return motion


def rigid(six: np.ndarray) -> np.ndarray:
    """Return the 4×4 (LPS mm) that takes a place in the head's first position to its place now."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(six[3:], degrees=True).as_matrix()
    matrix[:3, 3] = six[:3] + _PIVOT_LPS - matrix[:3, :3] @ _PIVOT_LPS
    return matrix


def moved(image: np.ndarray, grid: Grid, six: np.ndarray | None) -> np.ndarray:
    """Return the ``(z, y, x)`` image of a head that has moved, by linear interpolation.

    Parameters
    ----------
    image : numpy.ndarray
        In its first position.
    grid : Grid
        Where.
    six : numpy.ndarray or None
        Shift (mm, LPS) and rotation vector (degrees); None leaves the image as it is.
    """
    if six is None:
        return image
    affine = grid.affine
    back = np.linalg.inv(affine) @ np.linalg.inv(rigid(six)) @ affine
    return ndimage.affine_transform(
        image, back[2::-1, 2::-1], back[2::-1, 3], order=1, mode="nearest", output=np.float32
    )
