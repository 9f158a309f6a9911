"""A study as a folder that Slicer's process, the worker and scripts hand each other. Imports nothing heavy."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .case import SERIES_ROLES, ClinicalFacts, StrokeCase
from .errors import StrokeError
from .io.images import read_image
from .io.json_files import read_json_object
from .io.output import staged_folder, write_text
from .job_folder import write_uncompressed
from .study import Study
from .volume import Volume

RECORD = "study.json"
KINDS = ("images", "masks", "probabilities")


def write_study(output: Path | str, study: Study, seconds: dict[str, float] | None = None) -> dict[str, Any]:
    """Write images, masks and probabilities as .nrrd, and the rest as ``study.json``; all or none.

    Parameters
    ----------
    output : path-like
        Folder to write into.
    study : Study
        Series are left out.
    seconds : dict, optional
        How long each stage took.

    Returns
    -------
    dict
        ``files``, and ``study`` as in ``study.json``: patient, facts, doubts, sources, ``images``, ``masks`` and
        ``probabilities`` (file by role, segment key and model), volumes, perfusion, prediction, truth, ``seconds``.
    """
    case = study.case
    found: dict[str, dict[str, Volume]] = {
        "images": {role: v for role, v in case.volumes.items() if role != "brain" and role not in SERIES_ROLES},
        "masks": study.masks or {role: v for role, v in case.volumes.items() if role == "brain"},
        "probabilities": study.probabilities,
    }
    record: dict[str, Any] = {
        "patient": case.patient,
        "simulated": case.simulated,
        "modality": case.modality,
        "facts": asdict(case.facts),
        "sources": case.sources,
        "doubts": case.doubts,
        "volumes": study.volumes,
        "perfusion": study.perfusion,
        "prediction": study.prediction,
        "truth": study.truth,
        "provenance": study.provenance,
        "seconds": seconds or {},
    }
    names = []
    with staged_folder(output) as stage:
        for kind in KINDS:
            record[kind] = {key: f"{kind}-{key}.nrrd" for key in found[kind]}
            for key, name in record[kind].items():
                write_uncompressed(stage / name, found[kind][key])
                names.append(name)
        write_text(stage / RECORD, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return {"files": [str(Path(output) / name) for name in [*names, RECORD]], "study": record}


def read_study(folder: Path | str) -> Study:
    """Read what `write_study` wrote.

    Raises
    ------
    StrokeError
        If a file is missing or damaged.
    """
    folder = Path(folder)
    record = read_json_object(folder / RECORD)
    try:
        read = {kind: {key: _read(folder / name) for key, name in record[kind].items()} for kind in KINDS}
        masks = {key: volume.with_array(volume.array > 0) for key, volume in read["masks"].items()}
        volumes = dict(read["images"])
        if "brain" in masks:
            volumes["brain"] = masks["brain"]
        case = StrokeCase(
            record["patient"], volumes, ClinicalFacts(**record["facts"]), record["sources"], list(record["doubts"]),
            simulated=record["simulated"],
        )  # fmt: skip
        rest = {key: record[key] for key in ("volumes", "perfusion", "prediction", "truth", "provenance")}
    except (KeyError, TypeError) as error:
        raise StrokeError(f"{folder / RECORD}: is no study of this version ({error}); analyse again.") from error
    return Study(case, masks, read["probabilities"], **rest)


def _read(path: Path) -> Volume:
    return read_image(path, series=False, may_be_empty=True)
