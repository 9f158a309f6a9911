"""A patient's follow-up: the final lesion brought onto the baseline's grid."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..case import StrokeCase
from ..errors import StrokeError
from ..preprocess.deformable import register_deformable
from ..preprocess.deformation import Deformation, apply_deformation
from ..preprocess.registration import Registration, apply_rigid, register_rigid
from ..preprocess.resample import to_grid
from ..volume import Volume
from .folder import list_patients, require_folder
from .images import is_image_name, read_image
from .layouts import inner_root, is_isles_case, isles_cases, space_of
from .roles import role_of

_LESION = re.compile(r"(^|[._-])(lesion[._-]?(msk|mask)|lesion|infarct|msk|ot)([._-]|$)", re.IGNORECASE)
#: Sessions days after the baseline; the reperfusion session at 24 h is none of them.
_SESSION = re.compile(r"ses-0*[23]$")
#: Images of the follow-up that show anatomy, the best to register first.
_ANATOMY = ("flair", "dwi", "ncct", "b0")
#: Share of a lesion that may fall outside the baseline's grid before it is doubted.
_LOST = 0.02


@dataclass
class FollowUp:
    """A follow-up on the baseline's grid.

    Attributes
    ----------
    lesion : Volume
        bool, on the baseline's reference grid.
    image : Volume or None
        The follow-up image, there too.
    registration : Registration or None
        How it came there; None where the files lie on that grid already.
    source : str
        File and what was done, for the record.
    doubts : list of str
        Sentences for the reader.
    deformation : Deformation or None
        The deformable registration on top of it, where it was asked for; not used where it says `rejected`.
    """

    lesion: Volume
    image: Volume | None
    registration: Registration | None
    source: str
    doubts: list[str] = field(default_factory=list)
    deformation: Deformation | None = None


def load_follow_up(
    folder: Path | str, case: StrokeCase, patient: str | None = None, *, deformable: bool = False
) -> FollowUp | None:
    """Load the lesion that a follow-up session holds, onto the grid of a loaded case.

    The lesion moves with the follow-up image it was drawn on, by nearest neighbour; where the files lie on the
    baseline's grid already nothing moves.

    Parameters
    ----------
    folder, patient
        See `StrokePredictLib.io.folder.find_files`.
    case : StrokeCase
        The baseline.
    deformable : bool
        Whether to follow the shift by oedema and the distortion of echo-planar images too. The lesion is left out of
        the fit, and the rigid answer kept where the images become hardly more alike; ``source`` tells both.

    Returns
    -------
    FollowUp or None
        None where there is no lesion mask.

    Raises
    ------
    StrokeError
        If the mask cannot be brought there: no follow-up image on its grid, or the registration failed.
    """
    files = follow_up_files(folder, patient)
    masks = [path for path in files if _LESION.search(path.name.split(".nii")[0])]
    if not masks:
        return None
    reference = case.reference
    read = [(path, read_image(path, series=False, may_be_empty=True)) for path in masks]
    # A mask that the data set itself brought onto the baseline stands before one that we would have to bring there.
    read.sort(key=lambda item: (not item[1].same_grid(reference), space_of(item[0]) == "", item[0].name))
    path, mask = read[0]
    lesion = mask.with_array(mask.array > 0.5)
    image = _drawn_on(files, mask)
    if lesion.same_grid(reference):
        shown = to_grid(image, reference) if image is not None else None
        return FollowUp(to_grid(lesion, reference, is_mask=True), shown, None, f"{path.name}: on the baseline's grid")
    if image is None:
        raise StrokeError(
            f"{path}: lies on another grid than the baseline ({mask.describe_grid()}; {reference.describe_grid()}) "
            "and no follow-up image of its grid is beside it to register; put it there."
        )
    return _registered(path, lesion, image, case, deformable)


def follow_up_files(folder: Path | str, patient: str | None = None) -> list[Path]:
    """Return the images of a patient's follow-up sessions: BIDS' ``ses-02``, or a whole case of ISLES'17 or '18."""
    folder = inner_root(require_folder(folder))
    names = [patient] if patient else list_patients(folder)
    if len(names) != 1:
        return []
    if not names[0].startswith("sub-"):
        case = folder if is_isles_case(folder) else isles_cases(folder).get(names[0])
        return sorted(p for p in case.rglob("*") if p.is_file() and is_image_name(p)) if case else []
    top = folder
    if folder.name == names[0]:
        top = folder.parent.parent if folder.parent.name in ("raw_data", "rawdata", "derivatives") else folder.parent
    sessions = [
        session
        for base in (top / "raw_data", top / "rawdata", top / "derivatives", top)
        for session in sorted((base / names[0]).glob("ses-*"))
        if session.is_dir() and _SESSION.search(session.name)
    ]
    return [p for session in sessions for p in sorted(session.rglob("*")) if p.is_file() and is_image_name(p)]


def _registered(path: Path, lesion: Volume, image: Volume, case: StrokeCase, deformable: bool) -> FollowUp:
    fixed = next((case.volumes[role] for role in ("b0", "dwi", "ncct") if role in case.volumes), None)
    if fixed is None:
        raise StrokeError(f"{path}: cannot be brought onto the baseline: it has no anatomical image to register.")
    found = register_rigid(fixed, image, head=case.volumes.get("brain"))
    if found.failure:
        raise StrokeError(f"{path}: cannot be brought onto the baseline: registration failed: {found.failure}.")
    moved = apply_rigid(lesion, case.reference, found.matrix, is_mask=True)
    shown = apply_rigid(image, case.reference, found.matrix)
    source = f"{path.name}: {found.describe()}"
    bent = _deformation(case, image, moved, found) if deformable else None
    if bent is not None:
        source += f"; {bent.describe()}"
    if bent is not None and not bent.rejected:
        rigid, moved = moved, apply_deformation(lesion, case.reference, bent, is_mask=True)
        shown = apply_deformation(image, case.reference, bent)
        source += _compared(rigid, moved)
    return FollowUp(moved, shown, found, source, _lost(lesion, moved, found), bent)


def _deformation(case: StrokeCase, image: Volume, lesion: Volume, found: Registration) -> Deformation | None:
    """Return the deformable registration; None where the baseline has nothing to compare with."""
    # DWI first: its dark fluid makes it look like FLAIR, and b0 does not.
    fixed = next((case.volumes[role] for role in ("dwi", "b0", "ncct") if role in case.volumes), None)
    brain = case.volumes.get("brain")
    if fixed is None or brain is None or not (fixed.same_grid(brain) and fixed.same_grid(lesion)):
        return None
    return register_deformable(fixed, image, found.matrix, brain=brain, lesion=lesion)


def _compared(rigid: Volume, deformed: Volume) -> str:
    one, other = (float(mask.array.sum()) * mask.voxel_ml for mask in (rigid, deformed))
    both = float((rigid.array & deformed.array).sum()) * rigid.voxel_ml
    overlap = 2 * both / (one + other) if one + other > 0 else 1.0
    return f"; lesion {one:.1f} mL rigidly, {other:.1f} mL deformed (Dice of the two {overlap:.2f})"


def _lost(lesion: Volume, moved: Volume, found: Registration) -> list[str]:
    """Return a doubt where a part of the lesion lies outside the baseline, by the rigid motion."""
    before = float(lesion.array.sum()) * lesion.voxel_ml
    everywhere = moved.with_array(np.ones(moved.shape, dtype=bool))
    inside = apply_rigid(everywhere, lesion, found.inverse, is_mask=True).array & lesion.array
    after = float(inside.sum()) * lesion.voxel_ml
    if after >= (1.0 - _LOST) * before - 0.5:
        return []
    return [f"{before - after:.1f} of {before:.1f} mL of the follow-up lesion lie outside the baseline's slab."]


def _drawn_on(files: list[Path], mask: Volume) -> Volume | None:
    """Return the follow-up image on the mask's grid."""
    images = {}
    for path in files:
        answer = role_of(path.name)
        if answer is not None:
            images.setdefault(answer[0], []).append(path)
    for role in _ANATOMY:
        for path in images.get(role, []):
            image = read_image(path)
            if not image.is_series and image.same_grid(mask) and float(np.ptp(image.array)) > 0:
                return image
    return None
