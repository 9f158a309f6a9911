"""The job behind the follow-up: the image of days later on the baseline's grid, and its outline if there is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .errors import StrokeError
from .io.folder import require_folder
from .io.follow_up import follow_up_files, load_follow_up
from .io.images import read_image
from .io.load import load_case
from .io.output import staged_folder
from .io.roles import role_of
from .job_folder import write_uncompressed
from .preprocess.registration import apply_rigid, register_rigid
from .preprocess.resample import to_grid
from .progress import Progress, silent
from .volume import Volume

#: Days later FLAIR shows the infarct best; the rest in the order in which they do.
_WISHES = ("flair", "dwi", "ncct", "b0")
_FIXED = ("b0", "dwi", "ncct", "adc")


def run(
    output: Path | str,
    *,
    folder: Path | str | None = None,
    patient: str | None = None,
    files: dict[str, str] | None = None,
    image: Path | str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Bring a follow-up image onto the baseline's grid.

    Parameters
    ----------
    output : path-like
        Folder to write ``follow-up.nrrd`` into, and ``lesion.nrrd`` where an outline lies beside the image.
    folder, patient, files
        The baseline; see `StrokePredictLib.io.load.load_case`.
    image : path-like, optional
        The follow-up image; looked for in the folder's follow-up session if left out.

    Returns
    -------
    dict
        ``files``, ``image`` and ``lesion`` (names, the latter None where there is none), ``source``, ``doubts``.

    Raises
    ------
    StrokeError
        If there is no follow-up image, or the registration failed.
    """
    progress(0.0, "reading images")
    case = load_case(folder, patient=patient, files=files)
    lesion, doubts = None, []
    found = load_follow_up(folder, case, patient) if image is None and folder is not None else None
    if found is not None and found.image is not None:
        shown, lesion, source, doubts = found.image, found.lesion, found.source, found.doubts
    else:
        path = Path(image) if image is not None else _find(folder, patient)
        progress(0.2, f"registering {path.name}")
        shown, source = _brought(read_image(path, series=False), case, path.name)
    progress(0.9, "writing")
    written: dict[str, Volume] = {"follow-up": shown} | ({"lesion": lesion} if lesion is not None else {})
    with staged_folder(output) as stage:
        for name, volume in written.items():
            write_uncompressed(stage / f"{name}.nrrd", volume)
    return {
        "files": [str(Path(output) / f"{name}.nrrd") for name in written],
        "image": "follow-up.nrrd",
        "lesion": "lesion.nrrd" if lesion is not None else None,
        "source": source,
        "doubts": list(doubts),
    }


def _find(folder: Path | str | None, patient: str | None) -> Path:
    if folder is None:
        raise StrokeError("no follow-up image was given, and the patient comes from no folder to look in.")
    roles = {}
    for path in follow_up_files(require_folder(folder), patient):
        answer = role_of(path.name)
        if answer is not None:
            roles.setdefault(answer[0], path)
    role = next((role for role in _WISHES if role in roles), None)
    if role is None:
        raise StrokeError(f"{folder}: holds no follow-up image of {patient or 'this patient'} (a session ses-02).")
    return roles[role]


def _brought(image: Volume, case: Any, name: str) -> tuple[Volume, str]:
    if image.same_grid(case.reference):
        return to_grid(image, case.reference), f"{name}: on the baseline's grid"
    fixed = next((case.volumes[role] for role in _FIXED if role in case.volumes), None)
    if fixed is None:
        raise StrokeError(f"{name}: cannot be brought onto the baseline: it has no anatomical image to register.")
    found = register_rigid(fixed, image, head=case.volumes.get("brain"))
    if found.failure:
        raise StrokeError(f"{name}: cannot be brought onto the baseline: registration failed: {found.failure}.")
    return apply_rigid(image, case.reference, found.matrix), f"{name}: {found.describe()}"
