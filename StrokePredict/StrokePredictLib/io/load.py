"""A patient's files to a `StrokeCase`: read, units converted, one grid, brain mask."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from ..case import ROLES, SERIES_ROLES, ClinicalFacts, StrokeCase
from ..errors import StrokeError
from ..preprocess.adc import compute_adc
from ..volume import Volume
from .brain import find_brain
from .folder import PatientFiles, find_files
from .images import NIFTI, OTHERS, read_image
from .json_files import read_json_object
from .unite import unite_grids
from .units import recognise_adc, recognise_time_map, told_unit

_TIME_MAPS = ("tmax", "mtt", "ttp")


def load_case(
    folder: Path | str | None = None,
    *,
    patient: str | None = None,
    files: Mapping[str, Path | str] | None = None,
    facts: ClinicalFacts | None = None,
    with_series: bool = False,
    register: bool = True,
) -> StrokeCase:
    """Load a patient.

    Parameters
    ----------
    folder : path-like, optional
        See `find_files`.
    patient : str, optional
        Which patient of a cohort.
    files : mapping of role to path, optional
        Overrides, or stands instead of, what the folder holds.
    facts : ClinicalFacts, optional
        Instead of the table's.
    with_series : bool
        Read the 4D series too.
    register : bool
        Register images that lie on another grid than the reference's; False: place them by their headers alone.

    Raises
    ------
    StrokeError
        For every fault of a file, in one line.
    """
    found = find_files(folder, patient) if folder is not None else None
    roles = dict(found.roles) if found else {}
    sources = {role: f"{path.name}: {found.reasons[role]}" for role, path in roles.items()} if found else {}
    for role, path in (files or {}).items():
        if role not in ROLES:
            raise StrokeError(f"unknown image role '{role}'; known: {', '.join(ROLES)}.")
        roles[role] = Path(path)
        sources[role] = f"{Path(path).name}: given"
    if not roles:
        raise StrokeError("no image given; name a patient's folder or files (--dwi FILE --adc FILE …).")
    available = dict(roles)
    if not with_series:
        roles = {role: path for role, path in roles.items() if role not in SERIES_ROLES} or roles
    case = StrokeCase(
        patient=found.patient if found else next(iter(roles.values())).name.split(".")[0],
        volumes={role: _read(role, path, found) for role, path in roles.items()},
        facts=facts or (found.facts if found else ClinicalFacts()),
        sources=sources,
        doubts=list(found.notes) if found else [],
        simulated=bool(found and found.simulated),
    )
    _note_nonfinite(case)
    _note_orientation(case)
    _convert_units(case, roles)
    series = {role: partial(_read, role, path, found) for role, path in available.items() if role in SERIES_ROLES}
    unite_grids(case, series, register=register)
    _complete(case, roles, found)
    return case


def _read(role: str, path: Path, found: PatientFiles | None) -> Volume:
    """Read the image of a role, from a file or from the DICOM series that the file belongs to."""
    if found is not None and found.export is not None and found.roles.get(role) == path:
        from .dicom.pixels import read_volume

        return read_volume(found.export.roles[role])
    return read_image(path, series=role in SERIES_ROLES)


def _note_nonfinite(case: StrokeCase) -> None:
    for role, volume in case.volumes.items():
        count = volume.meta.get("nonfinite_voxels")
        if count:
            case.doubts.append(f"{ROLES[role][0]}: {count} voxels were not numbers and are treated as empty.")


def _note_orientation(case: StrokeCase) -> None:
    header = case.reference.header
    codes = [int(header[name]) for name in ("qform_code", "sform_code")] if hasattr(header, "get_best_affine") else [1]
    if not any(codes):
        case.doubts.append("The orientation is not stored (qform and sform codes 0): left and right are a guess.")


def _convert_units(case: StrokeCase, files: Mapping[str, Path]) -> None:
    if "adc" in case.volumes:
        case.volumes["adc"], sentence = recognise_adc(case.volumes["adc"], told_unit(files["adc"]))
        case.sources["adc"] += f"; {sentence}"
    for role in _TIME_MAPS:
        if role in case.volumes:
            unit = told_unit(files[role])
            case.volumes[role], sentence = recognise_time_map(case.volumes[role], ROLES[role][0], unit)
            case.sources[role] += f"; {sentence}"


def _complete(case: StrokeCase, roles: Mapping[str, Path], found: PatientFiles | None) -> None:
    """Add what follows from the images: ADC from b0 and DWI, and the brain mask."""
    volumes = case.volumes
    if "adc" not in volumes and {"b0", "dwi"} <= volumes.keys():
        b_value, said = _b_value(roles["dwi"], found)
        volumes["adc"] = compute_adc(volumes["b0"], volumes["dwi"], b_value)
        case.sources["adc"] = f"computed: ln(b0/DWI)/b with b = {b_value:g} s/mm² ({said})"
        if said.startswith("assumed"):
            case.doubts.append(f"ADC was computed with b = {b_value:g} s/mm², {said}; another b scales it.")
    if "brain" in volumes:
        volumes["brain"] = volumes["brain"].with_array(volumes["brain"].array > 0.5)
        if not volumes["brain"].array.any():
            raise StrokeError(f"{roles['brain']}: the brain mask is empty (no voxel above 0.5); give another, or none.")
        return
    find_brain(case)


def _b_value(dwi: Path, found: PatientFiles | None) -> tuple[float, str]:
    if found is not None and found.export is not None and found.roles.get("dwi") == dwi:
        told = found.export.roles["dwi"].b_value
        return (told, "its DICOM header") if told else (1000.0, "assumed: no DICOM header says it")
    stem = next((dwi.name[: -len(end)] for end in NIFTI[::-1] + OTHERS if dwi.name.lower().endswith(end)), dwi.stem)
    sidecar, table = dwi.with_name(stem + ".json"), dwi.with_name(stem + ".bval")
    if table.is_file():
        words = table.read_text(encoding="utf-8", errors="replace").split()
        values = [float(word) for word in words if word.replace(".", "", 1).isdigit()]
        if values and max(values) > 0:
            return max(values), table.name
    if sidecar.is_file():
        content = read_json_object(sidecar)
        for key in ("DiffusionBValue", "b_value", "BValue"):
            if isinstance(content.get(key), (int, float)) and content[key] > 0:
                return float(content[key]), f"{sidecar.name}: {key}"
    return 1000.0, "assumed: no sidecar says it"
