"""Small patients, and what a user must see when something is wrong, for tests of the command line."""

import nibabel
import numpy as np

BRAIN = np.zeros((40, 40, 6))
BRAIN[6:34, 6:34] = 300


def save(path, data=BRAIN, spacing=(4, 4, 5, 1), dtype=np.float32):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.asarray(data, dtype), np.diag(spacing)), path)
    return path


def good_case(folder):
    rng = np.random.default_rng(0)
    save(folder / "b0.nii.gz", BRAIN * 2.2 + rng.normal(0, 5, BRAIN.shape).clip(0))
    save(folder / "dwi.nii.gz", BRAIN + rng.normal(0, 5, BRAIN.shape).clip(0))
    return folder


def assert_one_line(done, *words):
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert "Traceback" not in done.stderr + done.stdout
    for word in words:
        assert word in lines[0], lines[0]
