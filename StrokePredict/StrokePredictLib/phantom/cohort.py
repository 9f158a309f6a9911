"""A folder of simulated patients in the layout that cohorts are read from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import StrokeError
from ..io.images import write_image
from ..io.output import staged_folder, write_text
from ..progress import Progress, part, silent
from .grid import Grid
from .patient import SimulatedPatient, simulate_patient

COLUMNS = (
    "participant_id", "age", "sex", "nihss", "onset_to_imaging_min", "onset_known", "imaging_to_reperfusion_min",
    "mtici", "reperfusion_rate", "reperfusion_yu", "reperfusion_debs", "role", "vendor", "center",
    "side", "occlusion", "collaterals",
)  # fmt: skip
#: Truth masks are written as uint8, truth maps as float32.
_MAPS = ("cbf", "cbv", "mtt", "delay", "tmax_ref")
_MASKS = ("core", "infarct", "infarct_reperfused", "infarct_not_reperfused", "brain", "territory", "artery", "vein")


def write_cohort(
    folder: Path | str,
    cases: int,
    seed: int,
    *,
    perfusion: bool = True,
    grid: Grid | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write a simulated cohort: images, labels, truth, participants.tsv, dataset_description.json.

    Parameters
    ----------
    folder : path-like
        Made if it is missing; whole or absent.
    cases : int
        How many patients, at least 1.
    seed : int
        Patient n (from 1) is ``simulate_patient(seed * 1_000_003 + n − 1)``: the first of seed 0 is patient 0.
    perfusion : bool
        Whether to write the perfusion series, which is most of the disk and time.
    grid : Grid, optional
        As `simulate_patient`.
    progress : Progress
        Told how far it is.

    Returns
    -------
    dict
        ``folder``, ``cases``, ``participants`` (rows as written), ``files`` (paths).

    Raises
    ------
    StrokeError
        If `cases` or `seed` is not usable, or the disk refuses.
    """
    if cases < 1:
        raise StrokeError(f"--cases {cases}: at least 1 patient is needed.")
    if seed < 0:
        raise StrokeError(f"--seed {seed}: a whole number from 0 on is needed.")
    _refuse_others(Path(folder), {f"sub-{n + 1:04d}" for n in range(cases)})
    rows = []
    with staged_folder(folder) as stage:
        for n in range(cases):
            name = f"sub-{n + 1:04d}"
            step = part(progress, n / cases, (n + 1) / cases)
            patient = simulate_patient(
                cohort_seed(seed, n), grid=grid, perfusion=perfusion, progress=part(step, 0.0, 0.8)
            )
            write_patient(stage, name, patient)
            step(1.0, f"{name} written")
            rows.append({"participant_id": name, **patient.facts})
        write_text(stage / "participants.tsv", _table(rows))
        write_text(stage / "dataset_description.json", _json(_description(cases, seed)))
        names = sorted(path.relative_to(stage) for path in stage.rglob("*") if path.is_file())
    files = [str(Path(folder) / name) for name in names]
    return {"folder": str(folder), "cases": cases, "participants": rows, "files": files}


def _refuse_others(folder: Path, names: set[str]) -> None:
    """Refuse a folder that holds patients besides those to be written: its table would no longer list them."""
    there = {path.name for base in ("raw_data", "derivatives") for path in (folder / base).glob("sub-*")}
    if there - names:
        raise StrokeError(f"{folder}: holds other patients ({min(there - names)} …); choose an empty folder with -o.")


def cohort_seed(seed: int, n: int) -> int:
    """Return the seed of patient ``n`` (from 0) of a cohort."""
    # A prime, so that no patient of one cohort is one of another, nor one of those that shipped models learnt from.
    return seed * 1_000_003 + n


def write_patient(root: Path, name: str, patient: SimulatedPatient) -> None:
    """Write one patient's files below ``root``, which exists.

    Parameters
    ----------
    root : pathlib.Path
        The cohort folder.
    name : str
        As ``sub-0001``.
    patient : SimulatedPatient
        What to write.
    """
    first, second = f"{name}/ses-01", f"{name}/ses-02"
    sidecars = _sidecars(patient)
    for image in ("b0", "dwi", "adc", "pwi"):
        if image in patient.volumes:
            _write(root / f"raw_data/{first}/{name}_ses-01_{image}.nii.gz", patient.volumes[image], np.int16)
            write_text(root / f"raw_data/{first}/{name}_ses-01_{image}.json", _json(sidecars[image]))
    _write(root / f"raw_data/{second}/{name}_ses-02_flair.nii.gz", patient.volumes["flair"], np.int16)
    write_text(root / f"raw_data/{second}/{name}_ses-02_flair.json", _json(sidecars["flair"]))
    _write(root / f"derivatives/{first}/{name}_ses-01_core-msk.nii.gz", patient.truth["core"], np.uint8)
    _write(root / f"derivatives/{second}/{name}_ses-02_lesion-msk.nii.gz", patient.truth["infarct"], np.uint8)
    for key in _MAPS:
        _write(root / f"derivatives/{name}/truth/{name}_{key}.nii.gz", patient.truth[key], np.float32)
    for key in (*_MASKS, "tissue"):
        _write(root / f"derivatives/{name}/truth/{name}_{key}.nii.gz", patient.truth[key], np.uint8)
    curve = "time_s\taif_mmol_per_L\n" + "".join(
        f"{t:.3f}\t{c:.6f}\n" for t, c in zip(patient.times, patient.true_aif, strict=True)
    )
    write_text(root / f"derivatives/{name}/truth/{name}_aif.tsv", curve)
    write_text(root / f"derivatives/{name}/truth/{name}_volumes.json", _json(patient.facts["ml"]))


def _write(path: Path, volume: Any, dtype: type) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, volume, dtype)


def _sidecars(patient: SimulatedPatient) -> dict[str, dict[str, Any]]:
    s = patient.scanner
    common = {"Modality": "MR", "Manufacturer": "simulated, vendor A", "MagneticFieldStrength": 3, "Simulated": True}
    return {
        "b0": common | {"EchoTime": s.dwi_echo, "DiffusionBValue": 0},
        "dwi": common | {"EchoTime": s.dwi_echo, "DiffusionBValue": s.b_value},
        "adc": common | {"Units": "10^-6 mm^2/s"},
        "pwi": common | {"RepetitionTime": s.interval, "EchoTime": s.pwi_echo},
        "flair": common | {"EchoTime": 0.12, "RepetitionTime": 9.0, "InversionTime": 2.5},
    }


def _table(rows: list[dict[str, Any]]) -> str:
    lines = ["\t".join(COLUMNS)]
    for row in rows:
        lines.append("\t".join("n/a" if row[c] is None else str(row[c]) for c in COLUMNS))
    return "\n".join(lines) + "\n"


def _description(cases: int, seed: int) -> dict[str, Any]:
    from .. import __version__

    return {
        "Name": f"SIMULATED stroke patients (n = {cases}, seed {seed}): no person was imaged",
        "BIDSVersion": "1.9.0",
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "StrokePredictLib.phantom", "Version": __version__}],
        "Simulated": True,
    }


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"
