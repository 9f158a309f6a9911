"""A perfusion series that failed its quality check, from the maps to the networks, on the command line."""

import json
import re

import numpy as np
import pytest

from StrokePredictLib.io.images import read_image, write_image


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """A simulated patient whose series ends in the middle of the bolus' passage, in a loose folder."""
    from StrokePredictLib.phantom.cohort import write_cohort
    from StrokePredictLib.phantom.grid import Grid

    base = tmp_path_factory.mktemp("failed")
    write_cohort(base / "cohort", 1, 0, grid=Grid(shape=(12, 60, 60), spacing=(3.7, 3.7, 11.0)))
    folder = base / "case"
    folder.mkdir()
    for path in (base / "cohort/raw_data/sub-0001/ses-01").glob("*.nii.gz"):
        image = read_image(path)
        role = path.name.split("_")[-1].removesuffix(".nii.gz")
        if role == "pwi":
            image = image.with_array(np.ascontiguousarray(image.array[:22]))
        write_image(folder / f"{role}.nii.gz", image)
    return folder


@pytest.fixture(scope="module")
def maps(cut):
    return [word for role in ("tmax", "cbf", "cbv") for word in (f"--{role}", cut.parent / "maps" / f"{role}.nii.gz")]


def test_from_maps_to_networks(stroke, cut, maps, tmp_path):
    timing = ("--interval", "1.5", "--echo-time", "0.03")
    done = stroke("perfusion", cut / "pwi.nii.gz", "-o", cut.parent / "maps", *timing)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^! Quality check failed: At the last frame .* the scan ended too early", done.stdout, re.M)

    asked = ("predict", cut, *maps, "-o", tmp_path / "named", "--model", "infarct-general")
    done = stroke(*asked)
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert "infarct-general: not computed, since the perfusion series failed its quality check" in last
    assert "--override NAME" in last
    assert not (tmp_path / "named").exists()

    done = stroke(*asked, "--override", "Dr Reader")
    assert done.returncode == 0, done.stderr
    assert "accepted by Dr Reader" in done.stdout
    assert re.search(r"\(infarct-general\): \d+\.\d mL", done.stdout)

    done = stroke("predict", cut, *maps, "-o", tmp_path / "all", "--json")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)["prediction"]
    assert [model["name"] for model in record["models"]] == ["core-dwi"]  # the one that looks at diffusion alone
    reasons = {item["name"]: item["reason"] for item in record["skipped"]}
    assert "failed its quality check" in reasons["infarct-general"]
    assert "failed its quality check" in reasons["fate"]


def test_what_a_raw_series_still_needs_is_said(stroke, cut, tmp_path):
    done = stroke("threshold", cut, "-o", tmp_path / "rules")
    assert done.returncode == 0, done.stderr
    assert "! Hypoperfusion and mismatch are not there: the raw perfusion series needs its maps first" in done.stdout
    done = stroke("predict", cut, "-o", tmp_path / "out", "--model", "infarct-general")
    assert done.returncode == 2
    assert "stroke analyse, or stroke perfusion, makes them" in done.stderr
    done = stroke("check", cut, "--json")
    ready = {task["name"]: task["ready"] for task in json.loads(done.stdout)["patients"][0]["tasks"]}
    assert ready["Hypoperfusion (Tmax > 6 s)"]
    assert ready["Model infarct-general"]


def test_the_whole_job_withholds_them_too(stroke, cut, tmp_path):
    (tmp_path / "case").mkdir()
    for path in cut.glob("*.nii.gz"):
        (tmp_path / "case" / path.name).symlink_to(path)
    done = stroke("analyse", tmp_path / "case", "-o", tmp_path / "out", "--demonstration", "--json")
    if "interval" in done.stderr:
        pytest.fail(done.stderr)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["volumes"]["volumes_ml"]["hypoperfused_tmax"] == "not computed"
    assert [model["name"] for model in result["prediction"]["models"]] == ["core-dwi"]
    assert any("infarct-general" in doubt and "not computed" in doubt for doubt in result["doubts"])


def test_a_head_of_an_impossible_size(stroke, cut, tmp_path):
    (tmp_path / "case").mkdir()
    for role in ("dwi", "b0"):
        image = read_image(cut / f"{role}.nii.gz")
        affine = image.affine.copy()
        affine[:3] *= 10.0
        write_image(tmp_path / "case" / f"{role}.nii.gz", type(image)(image.array, affine))
    for command in ("threshold", "analyse"):
        done = stroke(command, tmp_path / "case", "-o", tmp_path / "out")
        assert done.returncode == 2
        assert "mL of brain, more than any person has; the voxel size in the file (37 × 37 × 110 mm)" in done.stderr
        assert not (tmp_path / "out").exists()
