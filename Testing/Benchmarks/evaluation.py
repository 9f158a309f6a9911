"""Time and memory of evaluation; prints JSON.

``python Testing/Benchmarks/evaluation.py pair`` scores one pair of 256 × 256 × 40 voxels by every measure.
``python Testing/Benchmarks/evaluation.py cohort FOLDER [PATIENTS …]`` writes made-up predictions of a core network for
a simulated cohort (``stroke phantom --cases 200 --population dwi --no-perfusion``), then runs ``stroke evaluate`` with
two processes on the first patients, as many as each number says.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("StrokePredict", "StrokeTrain", "Testing")]

SHAPE, SPACING = (40, 256, 256), (0.9, 0.9, 3.0)


def blob(centre, radii):
    """Return an ellipsoid on `SHAPE`."""
    grid = np.ogrid[tuple(slice(size) for size in SHAPE)]
    return sum(((axis - at) / radius) ** 2 for axis, at, radius in zip(grid, centre, radii, strict=True)) < 1


def pair() -> dict[str, float]:
    """Score a scattered prediction of a large infarct five times."""
    from StrokePredictLib.volume import Volume
    from StrokeTrainLib.metrics.patient import score_patient

    rng = np.random.default_rng(0)
    affine = np.diag([*SPACING, 1.0])
    true = blob((20, 120, 90), (9, 45, 35)) | blob((31, 150, 170), (2, 6, 6))
    brain = blob((20, 128, 128), (20, 110, 90))
    probability = 0.6 * blob((20, 124, 96), (9, 42, 36)) + rng.normal(0.1, 0.14, SHAPE) * brain
    images = [probability.astype(np.float32), probability >= 0.5, true, brain]
    score, mask, truth, inside = (Volume(image, affine) for image in images)
    times, used = [], []
    for _ in range(5):
        start, before = time.perf_counter(), time.process_time()
        found = score_patient("one", "network", truth, mask, score, inside)
        times.append(time.perf_counter() - start)
        used.append(time.process_time() - before)
    return {
        "shape": SHAPE, "median_s": round(float(np.median(times)), 3), "best_s": round(min(times), 3),
        "median_processor_s": round(float(np.median(used)), 3),
        "dice": round(found.dice, 3), "predicted_lesions": found.predicted_lesions,
    }  # fmt: skip


def cohort(folder: Path, numbers: list[int]) -> list[dict[str, float]]:
    """Evaluate the first patients of a cohort, each time anew, and return seconds and the largest process."""
    from support.small_run import made_up_probability, write_model, write_prediction

    from StrokeTrainLib.cohort.index import index_cohort
    from StrokeTrainLib.cohort.votes import truth
    from StrokeTrainLib.recipes import load_recipe

    patients = list(index_cohort(folder))
    found = []
    with tempfile.TemporaryDirectory() as place:
        base = Path(place)
        model = write_model(base / "model", load_recipe("alis2020", {"preset": "small"}))
        for number, patient in enumerate(patients[: max(numbers)]):
            true = truth(patient, "acute-core").mask
            probability = made_up_probability(true, np.random.default_rng(number))
            write_prediction(base / "predictions" / patient.id, model, probability)
        for count in numbers:
            data, out = base / f"first-{count}", base / f"out-{count}"
            _first(folder, data, [patient.id for patient in patients[:count]])
            words = ["evaluate", "--data", data, "--model", model.folder, "--predictions", base / "predictions"]
            command = [sys.executable, "-m", "StrokeCommand", *map(str, words), "-o", str(out), "--workers", "2"]
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONPATH": _path()})
            seconds = time.perf_counter() - start
            largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            found.append({"patients": count, "s": round(seconds, 1), "largest_process_mb": round(largest)})
            shutil.rmtree(out)
    return found


def _path() -> str:
    return os.pathsep.join(str(ROOT / name) for name in ("StrokePredict", "StrokeTrain"))


def _first(folder: Path, data: Path, names: list[str]) -> None:
    """Write a cohort of some patients, their files linked."""
    data.mkdir()
    shutil.copy(folder / "dataset_description.json", data)
    rows = (folder / "participants.tsv").read_text().splitlines()
    kept = [row for row in rows[1:] if row.split("\t")[0] in names]
    (data / "participants.tsv").write_text("\n".join([rows[0], *kept]) + "\n")
    for part in ("raw_data", "derivatives"):
        (data / part).mkdir()
        for name in names:
            (data / part / name).symlink_to(folder.absolute() / part / name)


if __name__ == "__main__":
    if sys.argv[1:2] == ["cohort"] and len(sys.argv) > 2:
        chosen = [int(word) for word in sys.argv[3:]] or [50, 200]
        print(json.dumps(cohort(Path(sys.argv[2]), sorted(chosen)), indent=1))
    else:
        print(json.dumps(pair()))
