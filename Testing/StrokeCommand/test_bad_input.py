"""Bad input on the real command line: one line that says what and where, exit 2, nothing half-written."""

import json
import subprocess
import sys

import nibabel
import numpy as np
import pytest
from support.command_line import BRAIN, assert_one_line, good_case, save


def damage_grid(folder):
    save(folder / "dwi.nii.gz", BRAIN[:-1])


def damage_place(folder):
    image = nibabel.load(folder / "dwi.nii.gz")
    affine = image.affine.copy()
    affine[0, 3] += 0.01
    nibabel.save(nibabel.Nifti1Image(image.get_fdata(), affine), folder / "dwi.nii.gz")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: (f / "dwi.nii.gz").write_text("not an image"), ["dwi.nii.gz", "no readable image"]),
        (lambda f: save(f / "dwi.nii.gz", np.zeros((8, 8, 8))), ["dwi.nii.gz", "every voxel is zero"]),
        (lambda f: save(f / "b0.nii.gz", np.full((8, 8, 8), np.nan)), ["b0.nii.gz", "NaN"]),
        (lambda f: save(f / "dwi.nii.gz", np.ones((8, 8, 8, 9))), ["dwi.nii.gz", "9 frames"]),
        (damage_grid, ["b0.nii.gz", "does not match", "39×40×6"]),
        (damage_place, ["b0.nii.gz", "does not match"]),
        (lambda f: [p.unlink() for p in f.iterdir()], ["no image found"]),
    ],
)
def test_damaged_cases(stroke, tmp_path, damage, words):
    folder = good_case(tmp_path / "case")
    damage(folder)
    for command in ("threshold", "predict"):
        assert_one_line(stroke(command, folder, "-o", tmp_path / "out"), *words)
        assert not (tmp_path / "out").exists()


def test_the_undamaged_case_works(stroke, tmp_path):
    folder = good_case(tmp_path / "case")
    done = stroke("threshold", folder, "-o", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["brain.nii.gz", "core_adc.nii.gz", "volumes.json"]
    assert json.loads((tmp_path / "out" / "volumes.json").read_text()) == result["volumes"]


def test_missing_files_and_folders(stroke, tmp_path):
    assert_one_line(stroke("threshold", tmp_path / "nowhere", "-o", tmp_path / "out"), "nowhere", "no such folder")
    assert_one_line(stroke("perfusion", tmp_path / "no.nii.gz", "-o", tmp_path / "out"), "no.nii.gz", "no such file")
    assert_one_line(stroke("threshold", "-o", tmp_path / "out"), "no image given")
    assert_one_line(stroke("model", "show", "oracle"), "no model 'oracle'")
    assert_one_line(stroke("bench", "patience"), "no benchmark 'patience'", "perfusion")
    folder = good_case(tmp_path / "case")
    assert_one_line(stroke("threshold", folder, "-o", tmp_path / "out", "--skip", "soap"), "no cleaning step 'soap'")
    assert not (tmp_path / "out").exists()


def empty_mask(folder):
    save(folder / "brain_mask.nii.gz", BRAIN / 1000)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (empty_mask, ["brain_mask.nii.gz", "empty"]),
        (lambda f: (f / "dwi.json").write_text("[]"), ["dwi.json", "JSON list"]),
        (lambda f: (f / "dwi.json").write_text("{"), ["dwi.json", "no readable JSON"]),
        (lambda f: (f / "dataset_description.json").write_text("[1]"), ["dataset_description.json", "JSON list"]),
    ],
)
def test_odd_companions_of_good_images(stroke, tmp_path, damage, words):
    folder = good_case(tmp_path / "case")
    damage(folder)
    assert_one_line(stroke("threshold", folder, "-o", tmp_path / "out"), *words)


@pytest.mark.parametrize("name", ["[bold]x", "[/x]", "Übung Müller", "a'b\"c", "sub:-) :smile:"])
def test_names_are_told_as_they_are(stroke, tmp_path, name):
    assert_one_line(stroke("threshold", tmp_path / name, "-o", tmp_path / "out"), name, "no such folder")
    folder = good_case(tmp_path / "cases" / name.replace("/", "_"))
    done = stroke("threshold", folder, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert name.replace("/", "_") in done.stdout


def test_names_that_no_disk_takes(stroke, tmp_path):
    name = "x" * 300
    for words in (["threshold", name], ["threshold", "--adc", name], ["perfusion", name]):
        assert_one_line(stroke(*words, "-o", tmp_path / "out"), "name too long")


@pytest.mark.parametrize("value", ["nan", "-5", "0", "inf"])
def test_limits_that_are_none(stroke, tmp_path, value):
    folder = good_case(tmp_path / "case")
    assert_one_line(stroke("threshold", folder, "-o", tmp_path / "out", "--adc-below", value), "ADC limit", "above 0")


def test_an_answer_is_not_lost_over_its_spelling(stroke, stroke_environment, tmp_path):
    stroke_environment = {**stroke_environment, "PYTHONIOENCODING": "cp1252"}
    folder = good_case(tmp_path / "case")
    command = [sys.executable, "-m", "StrokeCommand", "threshold", folder, "-o", tmp_path / "out", "--json"]
    done = subprocess.run(command, capture_output=True, env=stroke_environment, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.decode("utf-8"))["volumes"]["patient"] == "case"


def test_3d_where_4d_is_needed(stroke, tmp_path):
    path = save(tmp_path / "pwi.nii.gz")
    assert_one_line(stroke("perfusion", path, "-o", tmp_path / "out"), "pwi.nii.gz", "4D series")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_empty_perfusion_series(stroke, tmp_path, value):
    path = save(tmp_path / "pwi.nii.gz", np.full((8, 8, 4, 30), value))
    assert_one_line(stroke("perfusion", path, "-o", tmp_path / "out", "--interval", "1.5"), "pwi.nii.gz")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["threshold", "phantom", "demo"])
def test_an_output_folder_that_cannot_be_made(stroke, tmp_path, command):
    folder = good_case(tmp_path / "case")
    (tmp_path / "file").write_text("in the way")
    words = [command, folder] if command == "threshold" else [command]
    done = stroke(*words, "-o", tmp_path / "file" / "out")
    assert done.returncode == 2
    assert "file" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.parametrize("command", ["threshold", "predict", "phantom"])
def test_a_full_disk_leaves_nothing(stroke, tmp_path, command):
    folder = good_case(tmp_path / "case")
    words = ["phantom"] if command == "phantom" else [command, folder]
    done = stroke(*words, "-o", tmp_path / "out", largest=300)
    assert_one_line(done, "out", "larger than allowed")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_keeps_earlier_results(stroke, tmp_path):
    folder = good_case(tmp_path / "case")
    assert stroke("threshold", folder, "-o", tmp_path / "out").returncode == 0
    before = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    assert_one_line(stroke("threshold", folder, "-o", tmp_path / "out", largest=300), "larger than allowed")
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == before


def test_wrong_words_are_the_users_mistake(stroke):
    for words in (["thresholds"], ["demo", "--colour"], ["phantom"]):
        done = stroke(*words)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_a_fault_of_ours_is_exit_1(stroke_environment):
    code = (
        "import sys; from StrokePredictLib import jobs; jobs.JOBS['phantom'] = 'nowhere:run'\n"
        "from StrokeCommand.main import run; sys.argv = ['stroke', 'phantom', '-o', 'x']; run()"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=stroke_environment, check=False)
    assert done.returncode == 1
    assert "fault of the software" in done.stderr
