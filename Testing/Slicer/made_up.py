"""Small made-up cohorts, models and DICOM files for the panels' tests, written in a second by the worker's Python."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from StrokePredictLib.worker_client import environment

_SUPPORT = Path(__file__).resolve().parents[1]


def small_cohort(patients: int = 8, folder: Path | None = None) -> Path:
    """Write patients of 32 × 36 × 6 voxels with all maps and outlines; return the folder."""
    folder = folder or Path(tempfile.mkdtemp(prefix="train-")) / "cohort"
    code = (
        "import sys; from pathlib import Path; from support.small_cohort import write_cohort; "
        f"write_cohort(Path(sys.argv[1]), {patients})"
    )
    surroundings = environment()
    surroundings["PYTHONPATH"] = os.pathsep.join([str(_SUPPORT), surroundings["PYTHONPATH"]])
    subprocess.run([sys.executable, "-c", code, str(folder)], env=surroundings, check=True)
    return folder


def large_cohort(folder: Path, patients: int = 1000) -> Path:
    """Write names of a large cohort: files without content, and a table."""
    rows = ["participant_id\tage\tmtici\tvendor"]
    for number in range(1, patients + 1):
        name = f"sub-{number:04d}"
        raw, derived = folder / "raw_data" / name / "ses-01", folder / "derivatives" / name / "ses-02"
        raw.mkdir(parents=True)
        derived.mkdir(parents=True)
        for role in ("dwi", "b0", "adc", "pwi"):
            (raw / f"{name}_ses-01_{role}.nii.gz").touch()
        (derived / f"{name}_ses-02_lesion-msk.nii.gz").touch()
        rows.append(f"{name}\t{40 + number % 50}\t{('0', '2b', '3')[number % 3]}\t{'AB'[number % 2]}")
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n")
    return folder


def _in_workers_python(code: str, *words: object) -> None:
    """Run lines of Python where the heavy packages are; `support` can be imported there."""
    surroundings = environment()
    surroundings["PYTHONPATH"] = os.pathsep.join([str(_SUPPORT), surroundings["PYTHONPATH"]])
    subprocess.run([sys.executable, "-c", code, *map(str, words)], env=surroundings, check=True)


def models(folder: Path) -> Path:
    """Write untrained models, two for one question (one of them a demonstration), one with a slider."""
    code = """
import sys; from pathlib import Path
from support.models import write_test_bundle
folder = Path(sys.argv[1])
errors = {"errors": [0.3] * 20, "scale": "cube-root"}
write_test_bundle(folder / "site-a", "debs2021", "site-a", title="Site A", calibration=errors)
write_test_bundle(folder / "site-b", "debs2021", "site-b", first_seed=1, title="Site B", demonstration=True)
write_test_bundle(folder / "slider", "fate", "slider", title="By course of events", demonstration=True)
"""
    _in_workers_python(code, folder)
    return folder


def dicom_study(folder: Path) -> Path:
    """Write a small DICOM study of a head with DWI at two b-values, and another patient's T2; return the folder."""
    code = """
import sys; from pathlib import Path
import numpy as np
from support.dicom_files import Place, write_classic
folder, place = Path(sys.argv[1]), Place(spacing=(3.6, 3.6, 6.0))
z, y, x = np.indices((8, 56, 52))
head = ((x - 26) / 22) ** 2 + ((y - 28) / 25) ** 2 + ((z - 3.5) / 6) ** 2 < 1
pair = np.stack([head * 900, head * 900 * np.exp(-0.8)]) + 20
def weighting(ds, t, z):
    ds.DiffusionBValue = (0.0, 1000.0)[t]
write_classic(folder / "one", pair, place, number=2, description="ep2d_diff", frames=weighting)
write_classic(folder / "two", pair[0], place, number=3, description="t2", patient="P2")
"""
    _in_workers_python(code, folder)
    return folder
