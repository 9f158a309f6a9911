"""Odd perfusion series on the real command line: one line of ours, nothing of numpy's."""

import json
import subprocess
import sys

import nibabel
import numpy as np
import pytest
from perfusion_scans import make_scan


@pytest.fixture
def perfusion(stroke_environment, tmp_path):
    """Write a ``(t, z, y, x)`` array as NIfTI and run ``stroke perfusion`` on it."""

    def run(array, modality, *more):
        path = tmp_path / "odd.nii.gz"
        nibabel.save(nibabel.Nifti1Image(array.T, np.diag([4.0, 4.0, 6.0, 1.0])), path)
        words = ["perfusion", path, "-o", tmp_path / "out", "--interval", "1.5", "--modality", modality, "--json"]
        command = [sys.executable, "-W", "default", "-m", "StrokeCommand", *map(str, words), *more]
        return subprocess.run(
            command, capture_output=True, text=True, env=stroke_environment, cwd=tmp_path, timeout=300, check=False
        )

    return run


def constant(value):
    return np.full((30, 6, 40, 40), value, dtype=np.float32)


def box():
    array = constant(0)
    array[:, :, 6:34, 6:34] = 300
    return array


def huge(factor, dtype):
    return (make_scan("MR", slices=4).series.array.astype(np.float64) * factor).astype(dtype)


@pytest.mark.parametrize("modality", ["MR", "CT"])
@pytest.mark.parametrize("array", [constant(100), constant(40), box(), huge(1e34, "f4"), huge(1e100, "f8")])
def test_series_without_sense_give_one_line(perfusion, tmp_path, array, modality):
    done = perfusion(array, modality)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert "odd.nii.gz" in lines[0]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
def test_spoilt_voxels_are_told_without_a_word_of_numpy(perfusion, tmp_path, value):
    array = make_scan("MR", slices=7).series.array.copy()
    array[5:9, 2:5, 20:30, 8:18] = value
    done = perfusion(array, "MR")
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert ".py:" not in done.stderr
    record = json.loads((tmp_path / "out" / "perfusion.json").read_text())
    assert record["quality_failed"] == ["values"]
    assert any("1200 samples are not numbers" in w for w in record["warnings"])


def test_the_width_of_smoothing_reaches_the_maps(perfusion, tmp_path):
    array = make_scan("MR", slices=5).series.array
    spread = {}
    for width in ("0", "8"):
        done = perfusion(array, "MR", "--smoothing", width)
        assert json.loads(done.stdout)["summary"]["parameters"]["smoothing_fwhm_mm"] == float(width)
        cbf = nibabel.load(tmp_path / "out" / "cbf.nii.gz").get_fdata()[..., 2]
        inside = cbf[12:28, 12:28]
        spread[width] = np.abs(np.diff(inside, axis=0)).mean()
    assert spread["8"] < 0.7 * spread["0"]
