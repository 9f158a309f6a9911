"""The job behind ``stroke check``: what is there, what is missing for what, and every doubt. Computes no result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .case import ROLES, SERIES_ROLES, StrokeCase
from .errors import StrokeError
from .io.folder import PatientFiles, find_files, list_patients
from .io.follow_up import FollowUp, load_follow_up
from .io.load import load_case
from .io.output import staged_folder
from .models.bundle import open_bundle, shipped_bundles
from .preprocess.doubts import doubts_of, motion_of
from .preprocess.levels import find_levels
from .preprocess.sections import Sections
from .progress import Progress, part, silent
from .volume import Volume

#: What besides models can be done, by the roles of which one set must be there.
TASKS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Perfusion maps": (("pwi",), ("ctp",)),
    "Core (ADC < 620)": (("adc",),),
    "Hypoperfusion (Tmax > 6 s)": (("tmax",), ("pwi",), ("ctp",)),
    "Core (rCBF < 30 %)": (("cbf", "tmax"), ("ctp",)),
}


def run(
    folder: Path | str,
    *,
    patient: str | None = None,
    cohort: bool = False,
    output: Path | str | None = None,
    deformable: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Check one patient, or a cohort.

    Parameters
    ----------
    folder : path-like
        See `StrokePredictLib.io.folder.find_files`.
    patient : str, optional
        Which patient of a cohort.
    cohort : bool
        Check all of them; one patient's fault does not end it.
    output : path-like, optional
        Folder for the contact sheet, ``contact-sheet-N.png``, and, of one patient, ``checkerboard-ROLE.png`` for every
        image that was registered, the follow-up's too.
    deformable : bool
        Whether to register the follow-up deformably on top of the rigid motion.

    Returns
    -------
    dict
        ``patients``: by patient ``images``, ``tasks``, ``follow_up`` (None without one), ``aspects`` (proposed
        sections, and ``by`` what), ``doubts``, and ``error`` where it cannot be read. ``files``.

    Raises
    ------
    StrokeError
        If the folder, or the only patient, cannot be used.
    """
    names = list_patients(folder) if cohort else [patient]
    if cohort and not names:
        raise StrokeError(f"{folder}: no patients here; a cohort holds sub-… folders, or cases of ISLES'17 or '18.")
    checked, rows = [], []
    for number, name in enumerate(names):
        step = part(progress, 0.9 * number / len(names), 0.9 * (number + 1) / len(names))
        try:
            entry, case, later = check_patient(folder, name, step, deformable)
        except StrokeError as error:
            if not cohort:
                raise
            entry, case, later = _unreadable(name, error), None, None
        checked.append(entry)
        if output is not None:
            from .report.contact_sheet import row_of

            rows.append(row_of(entry, case))
    written = _draw(output, rows, *((None, None) if cohort else (case, later))) if output is not None else []
    progress(1.0, "done")
    return {"patients": checked, "files": written}


def _unreadable(name: str | None, error: StrokeError) -> dict[str, Any]:
    return {"patient": name, "images": [], "tasks": [], "doubts": [], "error": str(error)}


def check_patient(
    folder: Path | str, patient: str | None, progress: Progress = silent, deformable: bool = False
) -> tuple[dict[str, Any], StrokeCase, FollowUp | None]:
    """Return what there is to say of one patient, the case, and its follow-up."""
    progress(0.0, f"reading {patient or 'images'}")
    found = find_files(folder, patient)
    case = load_case(folder, patient=patient, with_series=True)
    progress(0.6, "looking for doubts")
    doubts = [*case.doubts, *doubts_of(case)]
    if not any("assumed" in doubt for doubt in doubts):
        doubts += [f"{ROLES[role][0]}: {said}." for role, said in case.sources.items() if "assumed" in said]
    for role in SERIES_ROLES:
        if role in case.volumes:
            doubts += [*motion_of(case.volumes[role], role), *_timing(role, found)]
    later = _follow_up(folder, case, patient, doubts, deformable)
    progress(0.8, "finding the template")
    entry = {
        "patient": case.patient,
        "simulated": case.simulated,
        "modality": case.modality,
        "images": _images(case),
        "tasks": _tasks(case),
        "follow_up": None if later is None else _told(later),
        "aspects": _aspects(case),
        "doubts": doubts,
        "error": None,
    }
    return entry, case, later


def _follow_up(
    folder: Path | str, case: StrokeCase, patient: str | None, doubts: list[str], deformable: bool
) -> FollowUp | None:
    """Return the follow-up; what speaks against it goes to the doubts."""
    try:
        found = load_follow_up(folder, case, patient, deformable=deformable)
    except StrokeError as error:
        doubts.append(str(error))
        return None
    if found is not None:
        doubts += found.doubts
    return found


def _told(later: FollowUp) -> dict[str, Any]:
    volume = float(later.lesion.array.sum()) * later.lesion.voxel_ml
    return {"source": later.source, "lesion_ml": round(volume, 1)}


def _aspects(case: StrokeCase) -> dict[str, Any]:
    """Return the two ASPECTS sections, counted from 1 as in the file, and how they were found."""
    image = next((case.volumes[role] for role in ("dwi", "b0", "ncct") if role in case.volumes), None)
    brain = case.volumes.get("brain")
    if brain is None or (image is not None and not image.same_grid(brain)):
        return {}
    sections = Sections.around(brain, (3.0, 3.0), (64, 64))
    try:
        found = find_levels(brain, sections, image)
    except StrokeError:
        return {}
    axis = int(np.argmax(np.abs(brain.direction[2])))
    inverse = np.linalg.inv(brain.affine)
    numbers = {}
    for name, section in zip(("basal ganglia", "supraganglionic"), found.sections, strict=True):
        place = sections.grid.TransformContinuousIndexToPhysicalPoint([31.5, 31.5, float(section)])
        numbers[name] = round(float((inverse @ np.append(place, 1.0))[axis])) + 1
    return {**numbers, "by": found.by}


def _images(case: StrokeCase) -> list[dict[str, str]]:
    listed = []
    for role, volume in case.volumes.items():
        frames = f"{volume.array.shape[0]} × " if volume.is_series else ""
        title, unit = ROLES[role]
        rule = case.sources.get(role, "given")
        listed.append(
            {"role": role, "title": title, "unit": unit, "grid": frames + volume.describe_grid(), "rule": rule}
        )
    return listed


def _tasks(case: StrokeCase) -> list[dict[str, Any]]:
    """Return, by task and model, whether it can run and what it lacks."""
    from .inference.prepare import makeable, missing_roles

    listed = []
    for name, choices in TASKS.items():
        lacking = [[ROLES[role][0] for role in roles if role not in case.volumes] for roles in choices]
        ready = any(not names for names in lacking)
        missing = [] if ready else [" or ".join(" and ".join(names) for names in lacking)]
        listed.append({"name": name, "ready": ready, "missing": missing})
    for folder in shipped_bundles():
        try:
            card = open_bundle(folder).card
        except StrokeError as error:
            listed.append({"name": f"Model {folder.name}", "ready": False, "missing": [str(error)]})
            continue
        lacking = missing_roles(card, case)
        if makeable(lacking, case):  # as for the rules above: one command makes the maps first
            lacking = []
        listed.append({
            "name": f"Model {card.name}", "ready": not lacking, "missing": [ROLES[role][0] for role in lacking],
        })  # fmt: skip
    return listed


def _timing(role: str, found: PatientFiles) -> list[str]:
    """Return a sentence where a series' frame times are unknown or only guessed from a header."""
    if found.export is not None:
        image = found.export.roles[role]
        return [] if image.times is not None else [f"{ROLES[role][0]}: its DICOM headers tell no time of its frames."]
    from .io.images import read_image
    from .perfusion.sources import find_timing

    path = found.roles[role]
    try:
        timing = find_timing(read_image(path, series=True), path)
    except StrokeError as error:
        return [str(error)]
    return [f"{ROLES[role][0]}: {warning}." for warning in timing.warnings]


def _draw(output: Path | str, rows: list, case: StrokeCase | None, later: FollowUp | None) -> list[str]:
    from .report.checkerboard import write_checkerboard
    from .report.contact_sheet import write_sheets

    with staged_folder(output) as stage:
        names = write_sheets(stage, rows)
        for role, (fixed, moved, words) in _registered(case, later).items():
            names.append(f"checkerboard-{role}.png")
            write_checkerboard(stage / names[-1], fixed, moved, case.volumes.get("brain"), words)
    return [str(Path(output) / name) for name in names]


def _registered(case: StrokeCase | None, later: FollowUp | None) -> dict[str, tuple[Volume, Volume, str]]:
    """Return, by name, the images that were registered with what they lie on, and the words for it."""
    fixed = [case.volumes[role] for role in ("b0", "dwi", "ncct") if role in case.volumes] if case else []
    if not fixed:
        return {}
    found = {}
    for role in ("flair", "ncct", "cbf", "cbv"):
        said = case.sources.get(role, "")
        if "registered, moved" in said:
            words = f"{ROLES[role][0]} on the reference: {said.split('; ')[-1]}"
            found[role] = (fixed[0], case.volumes[role], words)
    if later is not None and later.registration is not None and later.image is not None:
        # DWI looks like FLAIR: the edges run on.
        on = case.volumes.get("dwi", fixed[0])
        used = later.deformation if later.deformation is not None else later.registration
        found["follow-up"] = (on, later.image, f"Follow-up on the baseline: {used.describe()}")
    return found
