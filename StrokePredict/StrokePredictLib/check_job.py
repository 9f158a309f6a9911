"""The job behind ``stroke check``: what is there, what is missing for what, and every doubt. Computes no result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .case import ROLES, SERIES_ROLES, StrokeCase
from .errors import StrokeError
from .io.folder import PatientFiles, find_files, list_patients
from .io.follow_up import load_follow_up
from .io.load import load_case
from .io.output import staged_folder
from .models.bundle import open_bundle, shipped_bundles
from .preprocess.doubts import doubts_of, motion_of
from .preprocess.template import aspects_sections, fit_template
from .progress import Progress, part, silent

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
        image that was registered.

    Returns
    -------
    dict
        ``patients``: by patient ``images``, ``tasks``, ``follow_up`` (None without one), ``aspects`` (proposed
        sections), ``doubts``, and ``error`` where it cannot be read. ``files``.

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
            entry, case = check_patient(folder, name, step)
        except StrokeError as error:
            if not cohort:
                raise
            entry, case = {"patient": name, "images": [], "tasks": [], "doubts": [], "error": str(error)}, None
        checked.append(entry)
        if output is not None:
            from .report.contact_sheet import row_of

            rows.append(row_of(entry, case))
    written = _draw(output, rows, case if not cohort else None) if output is not None else []
    progress(1.0, "done")
    return {"patients": checked, "files": written}


def check_patient(
    folder: Path | str, patient: str | None, progress: Progress = silent
) -> tuple[dict[str, Any], StrokeCase]:
    """Return what there is to say of one patient, and the case."""
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
    follow_up = _follow_up(folder, case, patient, doubts)
    progress(0.8, "finding the template")
    entry = {
        "patient": case.patient,
        "simulated": case.simulated,
        "modality": case.modality,
        "images": _images(case),
        "tasks": _tasks(case),
        "follow_up": follow_up,
        "aspects": _aspects(case),
        "doubts": doubts,
        "error": None,
    }
    return entry, case


def _follow_up(folder: Path | str, case: StrokeCase, patient: str | None, doubts: list[str]) -> dict[str, Any] | None:
    """Return what the follow-up lesion is; what speaks against it goes to the doubts."""
    try:
        found = load_follow_up(folder, case, patient)
    except StrokeError as error:
        doubts.append(str(error))
        return None
    if found is None:
        return None
    doubts += found.doubts
    volume = float(found.lesion.array.sum()) * found.lesion.voxel_ml
    return {"source": found.source, "lesion_ml": round(volume, 1)}


def _aspects(case: StrokeCase) -> dict[str, int]:
    """Return the two ASPECTS sections, counted from 1; empty where the template is not found."""
    image = next((case.volumes[role] for role in ("dwi", "b0", "ncct") if role in case.volumes), None)
    if image is None or "brain" not in case.volumes or not image.same_grid(case.volumes["brain"]):
        return {}
    try:
        fit = fit_template(image, case.volumes["brain"])
    except StrokeError:
        return {}
    return {} if fit.failure else {name: n + 1 for name, n in aspects_sections(case.reference, fit).items()}


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
    from .inference.prepare import missing_roles

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


def _draw(output: Path | str, rows: list, case: StrokeCase | None) -> list[str]:
    from .report.checkerboard import write_checkerboard
    from .report.contact_sheet import write_sheets

    with staged_folder(output) as stage:
        names = write_sheets(stage, rows)
        fixed = next((case.volumes[r] for r in ("b0", "dwi", "ncct") if r in case.volumes), None) if case else None
        for role in ("flair", "ncct", "cbf", "cbv"):
            said = case.sources.get(role, "") if case else ""
            if fixed is None or "registered, moved" not in said:
                continue
            names.append(f"checkerboard-{role}.png")
            words = f"{ROLES[role][0]} on the reference: {said.split('; ')[-1]}"
            write_checkerboard(stage / names[-1], fixed, case.volumes[role], case.volumes.get("brain"), words)
    return [str(Path(output) / name) for name in names]
