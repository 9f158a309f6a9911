"""Every patient of a cohort folder, one after the other: what is done is skipped, what fails is listed."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from .errors import StrokeError
from .io.folder import find_files, list_patients
from .io.output import write_text
from .predict_job import considered, open_models, run
from .progress import Progress, part, silent
from .provenance import sha256_of


def run_cohort(
    output: Path | str,
    folder: Path | str,
    *,
    models: list[str] | None = None,
    device: str = "auto",
    form: str = ".nii.gz",
    override: str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Predict every patient of a cohort into a folder of their own.

    A patient is done where a whole result of the same models on the same input files lies there already, so that a run
    that was stopped goes on where it was. One patient's fault never ends the run.

    Parameters
    ----------
    output, folder : path-like
        Where to, and the cohort.
    models, device, form, override
        See `StrokePredictLib.predict_job.run`.

    Returns
    -------
    dict
        ``files``, and ``cohort``: ``done``, ``skipped`` (done before) and ``failed`` (patient and reason).

    Raises
    ------
    StrokeError
        If a model that was named is not there.
    """
    output = Path(output)
    wanted = considered(open_models(models)[0])
    patients = list_patients(folder)
    done: list[str] = []
    skipped: list[str] = []
    failed: list[dict[str, str]] = []
    files: list[str] = []
    for number, patient in enumerate(patients):
        share = part(progress, number / len(patients), (number + 1) / len(patients))
        share(0.0, patient)
        place = output / patient
        try:
            if is_done(place, folder, patient, wanted, form):
                skipped.append(patient)
                continue
            result = run(
                place, folder=folder, patient=patient, models=models, device=device, form=form, override=override,
                progress=share,
            )  # fmt: skip
        except StrokeError as error:
            failed.append({"patient": patient, "reason": " ".join(str(error).split())})
        except Exception as error:  # a fault of ours must not cost the other patients their turn
            logging.getLogger(__name__).exception("prediction of %s", patient)
            failed.append({"patient": patient, "reason": f"fault of the software: {type(error).__name__}: {error}"})
        else:
            done.append(patient)
            files += result["files"]
    summary = {"done": done, "skipped": skipped, "failed": failed, "models": wanted}
    if patients and len(failed) < len(patients):
        write_text(output / "cohort.json", json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
        files.append(str(output / "cohort.json"))
    progress(1.0, "done")
    return {"files": files, "cohort": summary}


def is_done(place: Path, folder: Path | str, patient: str, wanted: dict[str, str], form: str) -> bool:
    """Whether a folder holds the whole result of these models on a patient's present files."""
    try:
        record = json.loads((place / "prediction.json").read_text(encoding="utf-8"))
        made = record["provenance"]
        whole = all((place / f"mask_{model['name']}{form}").is_file() for model in record["models"])
        if not whole or made["parameters"]["considered"] != wanted:
            return False
        before = {role: item["sha256"] for role, item in made["inputs"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    now = find_files(folder, patient).roles
    # A new image may let another model run; a series that no model looked at is not compared.
    return set(before) >= set(now) - {"pwi", "ctp"} and all(
        role in now and sha256_of(now[role]) == digest for role, digest in before.items()
    )
