"""Time to index a cohort of small files: ``python Testing/Benchmarks/cohort_index.py [PATIENTS]``; prints JSON."""

import json
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("StrokePredict", "StrokeTrain", "Testing")]

from support.cohorts import bids_patient, write_table  # noqa: E402

from StrokeTrainLib.cohort.index import index_cohort  # noqa: E402


def measure(patients: int) -> dict[str, float]:
    """Write a cohort of eight images and a label a patient, index it three times, and return seconds."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for n in range(patients):
            bids_patient(root, f"sub-{n:04d}", seed=n + 1, maps=("tmax", "cbf", "cbv", "mtt"))
        write_table(root, *({"participant_id": f"sub-{n:04d}", "age": 60, "mtici": "2b"} for n in range(patients)))
        times = []
        for _ in range(3):
            start = time.perf_counter()
            found = index_cohort(root)
            times.append(time.perf_counter() - start)
        assert len(found) == patients
        assert not any(patient.problems for patient in found)
    files = sum(len(p.images) + len(p.labels) + sum(map(len, p.later.values())) for p in found)
    return {"patients": patients, "files": files, "first_s": round(times[0], 2), "best_s": round(min(times), 2)}


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)))
