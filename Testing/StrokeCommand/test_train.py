"""`stroke train` on the command line."""

import json
import sys

import nibabel
import numpy as np
import pytest
from support.small_cohort import SMALL, write_cohort

from StrokeCommand.main import run

WORDS = [f"--set={path}={value}" for path, value in SMALL.items()]


@pytest.fixture
def stroke(tmp_path, monkeypatch, capsys):
    """Run the command line in this process, as `stroke` does."""
    monkeypatch.setenv("STROKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def command(*words, code=0):
        monkeypatch.setattr(sys, "argv", ["stroke", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            run()
        said = capsys.readouterr()
        assert (ended.value.code or 0) == code, said.err
        return said

    return command


@pytest.fixture
def cohort(tmp_path):
    return write_cohort(tmp_path / "cohort", 6)


def one_line(said, *words):
    lines = [line for line in said.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, said.err
    assert "Traceback" not in said.err
    for word in words:
        assert word in lines[0]


def test_train_resume_and_predict_with_the_model(stroke, cohort, tmp_path):
    words = ("train", "debs2021-early", "--data", cohort, "-o", tmp_path / "run", "--folds", 2, "--epochs", 1)
    said = stroke(*words, *WORDS, "--json")
    result = json.loads(said.out)
    assert result["recipe"] == "debs2021-early"
    assert [fold["fold"] for fold in result["folds"]] == [1, 2]
    assert str(tmp_path / "run" / "bundle") in result["files"]
    assert "fold 1/2  epoch 1/1  loss" in said.err
    one_line(stroke(*words, *WORDS, code=2), "holds a run already")
    again = stroke("train", "--resume", "-o", tmp_path / "run")
    assert "fold 2: best epoch 1 of 1" in again.out
    model = tmp_path / "run" / "bundle"
    stroke("predict", cohort, "--patient", "sub-0001", "-o", tmp_path / "out", "--model", model, "--device", "cpu")
    mask = nibabel.load(tmp_path / "out" / "mask_debs2021-early.nii.gz")
    brain = nibabel.load(cohort / "derivatives/sub-0001/ses-01/sub-0001_ses-01_brain-msk.nii.gz")
    assert np.allclose(mask.affine, brain.affine)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name a recipe: debs2021, "),
        (("debs2021",), "name the cohort's folder (--data DIR)"),
        (("debs2020", "--data", "COHORT"), "no recipe 'debs2020'"),
        (("debs2021", "--data", "nowhere"), "nowhere"),
        (("debs2021", "--data", "COHORT", "--set", "training.batches=4"), "no 'batches'"),
        (("debs2021", "--data", "COHORT", "--set", "training.batch=none"), "training.batch"),
        (("debs2021", "--data", "COHORT", "--folds", "7"), "7 are needed"),
        (("alis2020", "--data", "COHORT"), "such as 2-fold (stroke train: --folds 2)"),
        (("debs2021", "--data", "COHORT", "--init", "no-such-model"), "no model 'no-such-model'"),
        (("debs2021", "--data", "COHORT", "--device", "tpu"), "no device 'tpu'"),
        (("--resume",), "no training run here"),
    ],
)
def test_a_users_mistake_is_told_in_one_line(stroke, cohort, tmp_path, words, said):
    chosen = [cohort if word == "COHORT" else word for word in words]
    small = WORDS if "COHORT" in words else []
    one_line(stroke("train", *chosen, *small, "-o", tmp_path / "run", code=2), said)
    assert not (tmp_path / "run").exists()


def test_a_cohort_with_one_bad_image_trains_without_that_patient(stroke, cohort, tmp_path):
    (cohort / "raw_data/sub-0002/ses-01/sub-0002_ses-01_adc.nii.gz").write_bytes(b"no image")
    said = stroke("train", "debs2021-early", "--data", cohort, "-o", tmp_path / "run", "--folds", 2, "--epochs", 1,
                  *WORDS)  # fmt: skip
    assert "left out: " in said.err
    assert "sub-0002" in said.err
    splits = json.loads((tmp_path / "run" / "splits.json").read_text())
    assert "sub-0002" not in {name for fold in splits["folds"] for part in fold.values() for name in part}
