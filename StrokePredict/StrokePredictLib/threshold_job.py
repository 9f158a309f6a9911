"""The job behind ``stroke threshold``: tissue rules on one patient, written to a folder."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .case import SERIES_ROLES
from .cleaning import without
from .errors import StrokeError
from .io.folder import find_files
from .io.images import write_image
from .io.json_files import read_json_object
from .io.load import load_case
from .io.output import staged_folder, write_text
from .progress import Progress, silent
from .provenance import provenance
from .quantify import Findings, ThresholdOptions, quantify

#: Segment key to file name.
MASK_FILES = {
    "brain": "brain.nii.gz",
    "core_adc": "core_adc.nii.gz",
    "hypoperfused_tmax": "hypoperfused_tmax.nii.gz",
    "core_cbf": "core_cbf.nii.gz",
}


def run(
    output: Path | str,
    *,
    folder: Path | str | None = None,
    patient: str | None = None,
    files: dict[str, str] | None = None,
    adc: float | None = None,
    tmax: float | None = None,
    rcbf: float | None = None,
    skip: list[str] | None = None,
    override: str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Threshold one patient and write masks and ``volumes.json``.

    Parameters
    ----------
    output : path-like
        Folder to write into.
    folder, patient, files
        See `StrokePredictLib.io.load.load_case`.
    adc, tmax, rcbf : float, optional
        Other limits than the rules', in 10⁻⁶ mm²/s, s, and as a share of normal tissue's flow.
    skip : list of str, optional
        Cleaning steps to leave out (`StrokePredictLib.cleaning.STEPS`).
    override : str, optional
        Reader who accepts a failed perfusion quality check.

    Returns
    -------
    dict
        ``files``, and ``volumes`` as in ``volumes.json``.
    """
    options = ThresholdOptions(override=override)
    options.adc = options.adc if adc is None else _limit(adc, "ADC limit in 10⁻⁶ mm²/s")
    options.tmax = options.tmax if tmax is None else _limit(tmax, "Tmax limit in s")
    options.rcbf = options.rcbf if rcbf is None else _limit(rcbf, "rCBF limit as a share of normal flow")
    options.core_cleaning = without(options.core_cleaning, skip or ())
    options.tmax_cleaning = without(options.tmax_cleaning, skip or ())
    progress(0.0, "reading images")
    case = load_case(folder, patient=patient, files=files)
    inputs = input_paths(folder, patient, files, tuple(case.volumes))
    progress(0.5, "applying the tissue rules")
    quality = find_quality(inputs)
    if "tmax" in inputs and quality is None:
        case.doubts.append("No perfusion.json lies beside the Tmax map: the quality of its series is not known.")
    if "tmax" not in case.volumes and set(case.sources) & set(SERIES_ROLES):
        case.doubts.append(
            "Hypoperfusion and mismatch are not there: the raw perfusion series needs its maps first (stroke analyse, "
            "or stroke perfusion and then --tmax)."
        )
    findings = quantify(case, options, quality)
    findings.volumes["provenance"] = provenance(inputs, findings.volumes["parameters"])
    findings.volumes["sources"] = case.sources
    progress(0.8, "writing masks")
    written = write_findings(output, findings, inputs.values())
    progress(1.0, "done")
    return {"files": written, "volumes": findings.volumes}


def _limit(value: float, name: str) -> float:
    if not (math.isfinite(value) and value > 0):
        raise StrokeError(f"{name} is {value:g}; a number above 0 is needed.")
    return value


def write_findings(output: Path | str, findings: Findings, inputs: Iterable[Path] = ()) -> list[str]:
    """Write the masks and ``volumes.json`` into a folder, all or none; return the paths."""
    with staged_folder(output, MASK_FILES.values(), inputs) as stage:
        names = []
        for key, name in MASK_FILES.items():
            if key in findings.masks:
                write_image(stage / name, findings.masks[key])
                names.append(name)
        write_text(stage / "volumes.json", json.dumps(findings.volumes, indent=1, ensure_ascii=False) + "\n")
        names.append("volumes.json")
    return [str(Path(output) / name) for name in names]


def input_paths(
    folder: Path | str | None, patient: str | None, files: dict[str, str] | None, roles: tuple[str, ...]
) -> dict[str, Path]:
    """Return the files that a loaded case's roles came from."""
    paths = dict(find_files(folder, patient).roles) if folder is not None else {}
    paths |= {role: Path(path) for role, path in (files or {}).items()}
    return {role: path for role, path in paths.items() if role in roles}


def find_quality(inputs: dict[str, Path]) -> dict[str, Any] | None:
    """Return the ``perfusion.json`` beside the Tmax map, where there is one.

    Raises
    ------
    StrokeError
        If it cannot be read.
    """
    tmax = inputs.get("tmax")
    path = tmax.with_name("perfusion.json") if tmax else None
    if path is None or not path.is_file():
        return None
    return read_json_object(path, "run the perfusion step again")
