"""``stroke cohort …`` as it is typed."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
from support.cohorts import bids_patient, save, write_table
from support.command_line import assert_one_line

from StrokeTrainLib.cohort.splits import Splits


@pytest.fixture
def cohort(tmp_path):
    """Return 12 patients: 11 has a label on another grid, 12 none."""
    folder = tmp_path / "cohort [a]"
    for n in range(1, 13):
        bids_patient(folder, f"sub-{n:02d}", seed=n, voxels=None if n == 12 else n)
    save(folder / "derivatives/sub-11/ses-02/sub-11_ses-02_lesion-msk.nii.gz", 1, shape=(9, 9, 3))
    rows = [{"participant_id": f"sub-{n:02d}", "mtici": "3" if n % 2 else "0", "center": "Lyon"} for n in range(1, 13)]
    write_table(folder, *rows)
    return folder


def test_check_says_who_is_left_out_and_draws_the_flow(stroke, cohort, tmp_path):
    done = stroke("cohort", "check", cohort, "-o", tmp_path / "out", "--quick", "--needs", "adc,tmax")
    assert done.returncode == 0, done.stderr
    for words in ("a patient without label", "label on another grid", "Patients assessed: 12", "included: 10"):
        assert words in " ".join(done.stdout.split()), words
    ElementTree.parse(tmp_path / "out" / "flow.svg")
    record = json.loads((tmp_path / "out" / "cohort.json").read_text())
    assert [item["patient"] for item in record["excluded"]] == ["sub-11", "sub-12"]
    assert record["flow"]["included"] == len(record["kept"]) == 10


def test_split_writes_what_training_reads(stroke, cohort, tmp_path):
    words = ("cohort", "split", cohort, "-o", tmp_path / "splits.json", "--scheme", "3-fold", "--locked", "0.1")
    done = stroke(*words, "--json")
    assert done.returncode == 0, done.stderr
    splits = Splits.load(tmp_path / "splits.json")
    assert len(splits.folds) == 3
    assert len(splits.locked) == 1
    assert json.loads(done.stdout)["locked"] == list(splits.locked)
    before = (tmp_path / "splits.json").read_bytes()
    refused = stroke(*words[:-4], "--scheme", "11-fold")
    assert_one_line(refused, "11-fold: too few persons may be tested, 10 where", "2 were excluded, the first: sub-11")
    assert (tmp_path / "splits.json").read_bytes() == before


def test_mistakes_are_one_line(stroke, cohort, tmp_path):
    assert_one_line(stroke("cohort", "index", tmp_path / "nothing"), "no such folder")
    assert_one_line(stroke("cohort", "check", cohort, "--rules", "mine", "-o", tmp_path / "x"), "unknown choice 'mine'")
    assert not (tmp_path / "x").exists()


def test_maps_say_whose_series_failed_the_quality_check(stroke, tmp_path):
    root = tmp_path / "cohort"
    for n in range(1, 14):
        name, session = f"sub-{n:02d}", f"sub-{n:02d}/ses-01"
        bids_patient(root, name, seed=n)
        (root / f"raw_data/{session}/{name}_ses-01_pwi.nii.gz").write_bytes(b"is not read where the maps are there")
        place = root / f"derivatives/{session}/perfusion-maps"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}_ses-01_tmax.nii.gz").write_bytes(b"map")
        (place / "perfusion.json").write_text(json.dumps({"quality_passed": n == 1}))
    done = stroke("cohort", "maps", root)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "0 computed, 0 done before, 13 without need" in said
    assert "13 of these: has maps from elsewhere, which stay" in said
    names = ", ".join(f"sub-{n:02d}" for n in range(2, 12))
    assert f"! 12 series failed the quality check (perfusion.json says why): {names} and 2 more" in said
