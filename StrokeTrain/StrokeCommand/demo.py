"""The main job on a simulated patient, from raw images to the report."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from StrokePredictLib import jobs
from StrokePredictLib.io.images import read_image
from StrokePredictLib.io.output import staged_folder
from StrokePredictLib.pipeline import study_of
from StrokePredictLib.progress import Progress, silent
from StrokePredictLib.segments import kind_of, ordered, segment_for
from StrokePredictLib.study import DEMONSTRATION, NOT_CLINICAL, SIMULATED, Study
from StrokePredictLib.thresholds import TMAX_HYPOPERFUSED, volume_ml
from StrokePredictLib.volume import Volume

from .analyse import OWN_FILES, moved
from .console import answer, print_files, terminal
from .present import present
from .steps import Steps
from .tables import NAMES

PATIENT = "sub-0001"
#: Kind of mask → the file of the simulated truth that it is measured against.
TRUTH = {
    "core_adc": "core",
    "core_network": "core",
    "hypoperfused_tmax": "tmax_ref",
    "infarct_predicted": "infarct",
    "infarct_predicted_attention": "infarct",
    "infarct_predicted_reperfused": "infarct_reperfused",
    "infarct_predicted_not_reperfused": "infarct_not_reperfused",
}
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
    steps = Steps(progress, 5)
    terminal.print(f"[dim]{SIMULATED} {NOT_CLINICAL}[/]")
    with staged_folder(output, OWN_FILES) as stage:
        cohort = stage / "patient"
        steps("Simulating a patient", partial(jobs.run, "phantom"), output=cohort, cases=1, seed=seed)
        study = study_of(stage, steps, folder=cohort, patient=PATIENT)
        compared = compare(study, cohort / "derivatives" / PATIENT / "truth")
        steps("Scene, summary and report", present, study=study, output=stage)
    return {"files": moved(steps.files, stage, output), "stages": steps.seconds, "compared": compared}


def compare(study: Study, truth: Path) -> dict[str, dict[str, float]]:
    """Return predicted and true volumes in mL and their Dice coefficient; put the true ones into the study."""

    def read(name: str) -> Volume:
        return read_image(truth / f"{PATIENT}_{name}.nii.gz", series=False, may_be_empty=True)

    compared = {}
    tissue = read("tissue").array >= GREY_MATTER
    for key in ordered(study.masks):
        if kind_of(key) not in TRUTH:
            continue
        # The reference Tmax is asked the question that the measured one is asked; the rest are masks.
        volume = read(TRUTH[kind_of(key)])
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
        table.add_row(
            NAMES.get(key) or segment_for(key).name,
            f"{line['predicted_ml']:.1f}",
            f"{line['true_ml']:.1f}",
            f"{line['dice']:.2f}",
        )
    answer.print(table)
    answer.print(f"[dim]{DEMONSTRATION}[/]")
    print_files(shown_files(result["files"]))
    answer.print(f"{sum(result['stages'].values()):.1f} s in all; {len(result['files'])} files written.")


def shown_files(files: list[str]) -> list[str]:
    """Return the files that a person opens, and leave the images to the folder listing."""
    return [path for path in files if Path(path).suffix in (".mrb", ".png", ".html") or path.endswith("report.json")]
