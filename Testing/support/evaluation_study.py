"""A small run with everything in it that can be wrong with a patient, and what `evaluate` makes of it."""

import csv
import json
from types import SimpleNamespace

import numpy as np

from StrokePredictLib.io.images import read_image, write_image
from StrokePredictLib.volume import Volume
from StrokeTrainLib.evaluation.evaluate import Options, evaluate

from .small_cohort import write_cohort
from .small_run import write_run

EMPTY, ABSENT, OTHER_GRID, CORRECTED, OTHER_MODEL = (f"sub-{n:04d}" for n in (3, 4, 5, 6, 7))
GOOD = [f"sub-{n:04d}" for n in (1, 2, 8, 9, 10, 11, 12)]
METHOD = "debs2021-early"


def rewrite_participants(folder):
    """Two vendors, and reperfusion by Yu of which nobody has a major one."""
    path = folder / "participants.tsv"
    head, *rows = path.read_text().splitlines()
    lines = [f"{head}\treperfusion_yu"]
    for number, row in enumerate(rows):
        cells = row.split("\t")
        cells[-1] = "AB"[number % 2]
        lines.append("\t".join([*cells, ("minimal", "partial", "")[number % 3]]))
    path.write_text("\n".join(lines) + "\n")


def prediction_of(run, patient):
    return next(run.glob(f"fold-*/predictions/{patient}"))


def spoil(cohort, run):
    """Do to single patients what can happen to them."""
    for path in prediction_of(run, ABSENT).glob("*.nii.gz"):
        path.unlink()
    place = prediction_of(run, OTHER_GRID)
    mask = read_image(place / f"mask_{METHOD}.nii.gz")
    write_image(place / f"mask_{METHOD}.nii.gz", Volume(mask.array[1:], mask.affine))
    place = prediction_of(run, OTHER_MODEL)
    record = json.loads((place / "prediction.json").read_text())
    record["models"][0]["sha256"] = "0" * 64
    (place / "prediction.json").write_text(json.dumps(record))
    place = prediction_of(run, CORRECTED)
    used = json.loads((place / "prediction.json").read_text())["models"][0]["sha256"]
    label = next((cohort / "derivatives" / CORRECTED / "ses-02").glob("*lesion-msk.nii.gz"))
    sidecar = label.with_name(label.name.replace(".nii.gz", ".json"))
    sidecar.write_text(json.dumps({"target": "final-infarct", "start": METHOD, "start_hash": used}))


def evaluated(base):
    """Write a cohort of 12 and its run of two folds, and evaluate them."""
    cohort, run, cache = base / "cohort", base / "run", base / "cache"
    write_cohort(cohort, 12, lesion=lambda number: number != 2)
    rewrite_participants(cohort)
    write_run(run, cohort)
    spoil(cohort, run)
    options = Options(workers=1, cache=cache, resamples=300)
    result = evaluate(cohort, base / "out", run=run, options=options)
    with (base / "out" / "metrics.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    numbers = {(row["patient"], row["method"]): row for row in rows}
    summary = json.loads((base / "out" / "summary.json").read_text())
    return SimpleNamespace(
        base=base, cohort=cohort, run=run, cache=cache, out=base / "out", result=result, rows=rows, numbers=numbers,
        summary=summary,
    )  # fmt: skip


def column(study, method, key, patients=None):
    """Return one measure by patient, NaN where the cell is empty."""
    wanted = patients or sorted({patient for patient, _ in study.numbers})
    cells = [study.numbers[patient, method][key] for patient in wanted]
    return np.array([float(cell) if cell else np.nan for cell in cells])
