"""One simulated patient's files in the layout that cohorts are read from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..io.images import write_image
from ..io.output import write_text
from ..volume import Volume
from . import protocols
from .patient import SimulatedPatient
from .readers import READS, read_lesion

#: Images by session, in the order in which they are written.
SESSIONS = {
    "ses-01": ("b0", "dwi", "adc", "pwi", "flair0", "ncct", "ctp"),
    "ses-24h": ("pwi_24h", "ctp_24h"),
    "ses-02": ("flair",),
}
#: Names of files that differ from those of the volumes.
_FILE = {"flair0": "flair", "pwi_24h": "pwi", "ctp_24h": "ctp"}
#: Truth masks are written as uint8, truth maps as float32.
_MAPS = ("cbf", "cbv", "mtt", "delay", "tmax_ref", "tmax_ref_24h")
_MASKS = ("core", "infarct", "infarct_day5", "infarct_reperfused", "infarct_not_reperfused", "recovered", "brain",
          "territory", "artery", "late_artery", "vein", "tissue")  # fmt: skip
#: Fractions of a voxel are written in percent.
_PERCENT = ("wm_lesion", "old_infarct")


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
    sidecars = _sidecars(patient)
    for session, images in SESSIONS.items():
        for image in images:
            if image in patient.volumes:
                stem = root / f"raw_data/{name}/{session}/{name}_{session}_{_FILE.get(image, image)}"
                _write(stem.with_name(stem.name + ".nii.gz"), patient.volumes[image], np.int16)
                write_text(stem.with_name(stem.name + ".json"), to_json(sidecars[image]))
    _write_labels(root / "derivatives" / name, name, patient)
    _write_truth(root / "derivatives" / name / "truth", name, patient)


def _write_labels(folder: Path, name: str, patient: SimulatedPatient) -> None:
    """Write the true outlines, and readers' of the acute core, all on the undistorted grid."""
    _write(folder / f"ses-01/{name}_ses-01_core-msk.nii.gz", patient.truth["core"], np.uint8)
    _write(folder / f"ses-02/{name}_ses-02_lesion-msk.nii.gz", patient.truth["infarct_day5"], np.uint8)
    if "dwi" not in patient.volumes:
        return
    tissue = patient.tissue
    for reader, read in READS:
        drawn = read_lesion(patient.seed, tissue.anatomy, tissue.fate.core, reader, read)
        volume = tissue.anatomy.grid.volume(tissue.anatomy.on_grid(drawn), f"reader {reader}'s read {read}")
        _write(folder / f"ses-01/{name}_ses-01_rater-{reader}_read-{read}_core-msk.nii.gz", volume, np.uint8)


def _write_truth(folder: Path, name: str, patient: SimulatedPatient) -> None:
    for key in _MAPS:
        _write(folder / f"{name}_{key}.nii.gz", patient.truth[key], np.float32)
    for key in _MASKS:
        _write(folder / f"{name}_{key}.nii.gz", patient.truth[key], np.uint8)
    for key in _PERCENT:
        share = patient.truth[key]
        _write(folder / f"{name}_{key}_percent.nii.gz", share.with_array(np.rint(100.0 * share.array)), np.uint8)
    for key in ("oedema_mm", "distortion_mm"):
        if key in patient.truth:
            shift = patient.truth[key]
            hundredths = shift.with_array(np.rint(100.0 * shift.array))
            _write(folder / f"{name}_{key}_x100.nii.gz", hundredths, np.int16)
    unit = "mmol_per_L" if "dwi" in patient.volumes else "mg_per_mL"
    curve = f"time_s\taif_{unit}\n" + "".join(
        f"{t:.3f}\t{c:.6f}\n" for t, c in zip(patient.times, patient.true_aif, strict=True)
    )
    write_text(folder / f"{name}_aif.tsv", curve)
    write_text(folder / f"{name}_volumes.json", to_json(patient.facts["ml"]))
    write_text(folder / f"{name}_course.json", to_json(_course(patient)))


def _course(patient: SimulatedPatient) -> dict[str, Any]:
    """Return what happened and nobody noted."""
    person, fate, ml = patient.tissue.person, patient.tissue, patient.facts["ml"]
    grown = ml["infarct_day5"] / ml["infarct"] - 1.0 if ml["infarct"] else None
    return {
        "onset_to_imaging_min": person.course.onset_to_imaging_min,
        "counterfactual_reperfusion_min": person.course.counterfactual_reperfusion_min,
        "grade": person.course.mtici,
        "collateral_reach_mm": round(person.occlusion.reach_mm, 1),
        "anterior_cerebral_artery_too": person.occlusion.with_anterior,
        "oedema_gain": round(fate.swelling.gain, 3),
        "oedema_gain_of_outline": None if grown is None else round(grown, 3),
        "largest_shift_mm": round(float(np.sqrt((fate.swelling.shift_mm**2).sum(axis=0)).max()), 2),
    }


def _write(path: Path, volume: Volume, dtype: type) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, volume, dtype)


def _sidecars(patient: SimulatedPatient) -> dict[str, dict[str, Any]]:
    s = patient.scanner
    common = {"Manufacturer": f"simulated, vendor {patient.facts['vendor']}", "Simulated": True}
    tesla = {"MagneticFieldStrength": protocols.scanner("MR", patient.facts["vendor"]).tesla}
    if s.modality == "MR":
        tesla["MagneticFieldStrength"] = s.tesla
    flair = common | tesla | {"Modality": "MR", "EchoTime": 0.12, "RepetitionTime": 9.0, "InversionTime": 2.5}
    if "ncct" in patient.volumes:
        common |= {"Modality": "CT", "Units": "HU"}
        series = common | {"RepetitionTime": s.interval, "KVP": s.kv}
        return {"ncct": common, "ctp": series, "ctp_24h": series, "flair": flair}
    common |= tesla | {"Modality": "MR"}
    series = common | {"RepetitionTime": s.interval, "EchoTime": s.pwi_echo}
    return {
        "b0": common | {"EchoTime": s.dwi_echo, "DiffusionBValue": 0},
        "dwi": common | {"EchoTime": s.dwi_echo, "DiffusionBValue": s.b_value},
        "adc": common | {"Units": "10^-6 mm^2/s"},
        "pwi": series,
        "pwi_24h": series,
        "flair0": flair,
        "flair": flair,
    }


def to_json(value: dict[str, Any]) -> str:
    """Return indented JSON with a line end."""
    return json.dumps(value, indent=2) + "\n"
