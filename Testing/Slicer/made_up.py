"""Small made-up cohorts for the tests of StrokeTrain's panel, written in a second by the worker's Python."""

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
