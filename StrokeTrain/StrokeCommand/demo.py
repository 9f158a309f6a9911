"""The main job on a simulated patient, from raw images to the report."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from StrokePredictLib import jobs
from StrokePredictLib.io.folder import find_files
from StrokePredictLib.io.images import read_image
from StrokePredictLib.io.load import load_case
from StrokePredictLib.progress import Progress, silent
from StrokePredictLib.report.collect import collect_study
from StrokePredictLib.study import DEMONSTRATION, NOT_CLINICAL, SIMULATED, Study
from StrokePredictLib.thresholds import TMAX_HYPOPERFUSED, volume_ml
from StrokePredictLib.volume import Volume

from .console import answer, print_files, stage, terminal
from .present import present
from .tables import NAMES

PATIENT = "sub-0001"
#: Segment key → the file of the simulated truth that it is measured against.
TRUTH = {"core_adc": "core", "hypoperfused_tmax": "tmax_ref", "infarct_predicted": "infarct"}
#: From this value of the true tissue map on (1 CSF, 2 grey, 3 white matter) there is tissue that can be hypoperfused.
GREY_MATTER = 2


def run(output: Path | str, *, seed: int = 0, progress: Progress = silent) -> dict[str, Any]:
    """Simulate a patient and do with it what is done with a real one.

    Parameters
    ----------
    output : path-like
        Folder; gets ``patient/``, ``perfusion/``, ``thresholds/``, ``prediction/``, ``scene.mrb``, ``summary.png``,
        ``report.html`` and ``report.json``.
    seed : int
        The patient.

    Returns
    -------
    dict
        ``files``, ``stages`` (seconds each), ``compared`` (predicted and true volume in mL, and Dice).
    """
    output = Path(output)
    cohort = output / "patient"
    stages: dict[str, float] = {}
    files: list[str] = []

    def step(title: str, job: str, **parameters: Any) -> dict[str, Any]:
        start = time.perf_counter()
        progress(len(stages) / 5, title)
        with stage(title) as show:
            result = jobs.run(job, progress=show, **parameters) if job else present(progress=show, **parameters)
        stages[title] = round(time.perf_counter() - start, 2)
        files.extend(result["files"])
        return result

    terminal.print(f"[dim]{SIMULATED} {NOT_CLINICAL}[/]")
    step("Simulating a patient", "phantom", output=cohort, cases=1, seed=seed)
    found = find_files(cohort, PATIENT)
    step("Perfusion maps", "perfusion", series=found.roles["pwi"], output=output / "perfusion", modality="MR")
    maps = {role: str(output / "perfusion" / f"{role}.nii.gz") for role in ("tmax", "cbf", "cbv", "mtt", "ttp")}
    images = {"folder": cohort, "patient": PATIENT, "files": maps}
    step("Tissue thresholds", "threshold", output=output / "thresholds", **images)
    step("Prediction", "predict", output=output / "prediction", **images)
    study = collect_study(
        load_case(**images),
        thresholds=output / "thresholds",
        prediction=output / "prediction",
        perfusion=output / "perfusion",
    )
    compared = compare(study, cohort / "derivatives" / PATIENT / "truth")
    step("Scene, summary and report", "", study=study, output=output)
    return {"files": files, "stages": stages, "compared": compared}


def compare(study: Study, truth: Path) -> dict[str, dict[str, float]]:
    """Return predicted and true volumes in mL and their Dice coefficient; put the true ones into the study."""
    def read(name: str) -> Volume:
        return read_image(truth / f"{PATIENT}_{name}.nii.gz", series=False, may_be_empty=True)

    compared = {}
    tissue = read("tissue").array >= GREY_MATTER
    for key, name in TRUTH.items():
        if key not in study.masks:
            continue
        # The reference Tmax is asked the question that the measured one is asked; the rest are masks.
        volume = read(name)
        limit = TMAX_HYPOPERFUSED if key == "hypoperfused_tmax" else 0.5
        true = volume.with_array((volume.array > limit) & tissue)
        found = study.masks[key]
        both = np.count_nonzero(found.array & true.array)
        total = np.count_nonzero(found.array) + np.count_nonzero(true.array)
        compared[key] = {
            "predicted_ml": round(volume_ml(found), 2),
            "true_ml": round(volume_ml(true), 2),
            "dice": round(2.0 * both / total, 3) if total else 1.0,
        }
        study.truth[key] = compared[key]["true_ml"]
    return compared


def print_result(result: dict[str, Any]) -> None:
    """Print the small table that ends the demonstration, and the paths."""
    table = Table("", "found, mL", "true, mL", "Dice", title="Simulated patient")
    for column in table.columns[1:]:
        column.justify = "right"
    for key, line in result["compared"].items():
        table.add_row(NAMES[key], f"{line['predicted_ml']:.1f}", f"{line['true_ml']:.1f}", f"{line['dice']:.2f}")
    answer.print(table)
    answer.print(f"[dim]{DEMONSTRATION}[/]")
    named = [path for path in result["files"] if Path(path).suffix in (".mrb", ".png", ".html", ".json")]
    print_files([path for path in named if Path(path).parent.name not in ("truth",)])
    answer.print(f"{sum(result['stages'].values()):.1f} s in all; {len(result['files'])} files written.")
