"""Folders of every layout to a table, and what is said of bad ones."""

import gzip
import json
import shutil
import subprocess
import sys

import pytest
from support.cohorts import bids_patient, lesion, save, write_table
from support.import_rules import WORKERS_ALONE

from StrokePredictLib.errors import StrokeError
from StrokeTrainLib.cohort.index import index_cohort


@pytest.fixture
def cohort(tmp_path):
    for n in (1, 2, 3):
        bids_patient(tmp_path, f"sub-000{n}", seed=n)
    write_table(
        tmp_path,
        {"participant_id": "sub-0001", "age": 70, "nihss": 12, "mtici": "2B", "center": "Lyon", "role": "any"},
        {"participant_id": "sub-0002", "age": "n/a", "nihss": 4, "mtici": "0", "center": "Bern", "role": "train-only"},
        {"participant_id": "sub-0003", "age": 55, "nihss": "", "mtici": "", "center": "Lyon", "role": ""},
    )
    return tmp_path


def test_bids_layout_gives_images_labels_and_typed_facts(cohort):
    found = index_cohort(cohort)
    assert [p.id for p in found] == ["sub-0001", "sub-0002", "sub-0003"]
    first = found["sub-0001"]
    assert set(first.images) == {"dwi", "b0", "adc", "tmax"}
    assert first.later["02"]["flair"].name == "sub-0001_ses-02_flair.nii.gz"
    assert [(item.target, item.grid, item.reader) for item in first.labels] == [("final-infarct", "baseline", None)]
    assert (first.facts["age"], first.facts["nihss"], first.facts["mtici"]) == (70.0, 12.0, "2b")
    assert found["sub-0002"].facts["age"] is None
    assert found["sub-0002"].role == "train-only"
    assert found["sub-0003"].role == "any"
    assert first.center == "Lyon"
    assert not any(p.problems for p in found)


def test_a_bad_cell_costs_one_fact_and_is_said(cohort):
    table = cohort / "participants.tsv"
    table.write_text(table.read_text().replace("70\t12", "700\ttwelve"))
    first = index_cohort(cohort)["sub-0001"]
    assert first.facts["age"] is None
    assert first.facts["nihss"] is None
    assert first.facts["mtici"] == "2b"
    assert any("age is '700'" in note and "sub-0001" in note for note in first.notes)
    assert first.problems == ()


@pytest.mark.parametrize("word", ["train_only", "Train only", "trainonly", "TRAIN-ONLY"])
def test_train_only_is_understood_however_it_is_spelled(cohort, word):
    table = cohort / "participants.tsv"
    table.write_text(table.read_text().replace("train-only", word).replace("\trole", "\t Role "))
    second = index_cohort(cohort)["sub-0002"]
    assert (second.role, second.problems) == ("train-only", ())


@pytest.mark.parametrize("word", ["train", "yes", "unknown"])
def test_a_role_that_is_not_understood_excludes_its_patient(cohort, word):
    """Nobody knows whether the patient may be tested."""
    table = cohort / "participants.tsv"
    table.write_text(table.read_text().replace("train-only", word))
    found = index_cohort(cohort)
    (problem,) = found["sub-0002"].problems
    assert f"role is '{word}'" in problem
    assert not found["sub-0001"].problems


@pytest.mark.parametrize("word", ["unknown", "?"])
def test_a_person_that_nobody_knows_excludes_the_record(tmp_path, word):
    for n in (1, 2):
        bids_patient(tmp_path, f"sub-0{n}", seed=n)
    write_table(tmp_path, {"participant_id": "sub-01", "person": word}, {"participant_id": "sub-02", "person": "sim-7"})
    found = index_cohort(tmp_path)
    assert "person is" in found["sub-01"].problems[0]
    assert (found["sub-02"].person, found["sub-02"].problems) == ("sim-7", ())


@pytest.mark.parametrize(
    ("line", "said"),
    [("sub-0002\t1\t4\t0\tBern\n", "ends before its role"), ("sub-0002\t1\t4\t0\t\tBern\tany\n", "7 cells")],
)
def test_a_line_whose_cells_do_not_stand_below_the_header_excludes_its_patient(cohort, line, said):
    table = cohort / "participants.tsv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join([*lines[:2], line, lines[3]]))
    assert said in index_cohort(cohort)["sub-0002"].problems[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("\t", ","), "it is comma-separated, save it tab-separated"),
        (lambda text: text.split("\n", 1)[1], "no column participant_id; its first line must"),
        (lambda text: text.replace("age", "role", 1), "two columns 'role'"),
        (lambda text: "", "is empty"),
    ],
)
def test_a_table_that_would_lose_every_role_is_refused(cohort, change, said):
    table = cohort / "participants.tsv"
    table.write_text(change(table.read_text()))
    with pytest.raises(StrokeError, match=said):
        index_cohort(cohort)


def test_what_is_wrong_with_the_table_is_told_of_the_cohort(cohort):
    with (cohort / "participants.tsv").open("a") as stream:
        stream.write("\t60\t5\t3\tLyon\ttrain-only\n")
    (note,) = index_cohort(cohort).notes
    assert "1 lines without participant_id" in note
    (cohort / "participants.tsv").unlink()
    assert "no participants.tsv" in index_cohort(cohort).notes[0]


def test_truth_and_results_are_no_input(cohort):
    save(cohort / "derivatives/sub-0001/truth/sub-0001_tmax.nii.gz", lesion(3))
    save(cohort / "derivatives/sub-0001/truth/sub-0001_core-msk.nii.gz", lesion(3))
    save(cohort / "derivatives/sub-0001/ses-01/out/mask_demo.nii.gz", lesion(3))
    found = index_cohort(cohort)["sub-0001"]
    assert [item.path.name for item in found.labels] == ["sub-0001_ses-02_lesion-msk.nii.gz"]
    assert found.images["tmax"].parent.name == "perfusion-maps"


def test_readers_reads_and_what_a_correction_started_from(cohort):
    place = cohort / "derivatives/sub-0001/ses-01"
    for read in (1, 2):
        save(place / f"sub-0001_ses-01_rater-AB_read-{read}_core-msk.nii.gz", lesion(read))
    path = save(place / "sub-0001_ses-01_rater-CD_core-msk.nii.gz", lesion(4))
    beside = path.with_name("sub-0001_ses-01_rater-CD_core-msk.json")
    beside.write_text(json.dumps({"start": "alis", "start_hash": "ab" * 32, "other": 1}))
    cores = index_cohort(cohort)["sub-0001"].labels_of("acute-core")
    assert {(item.reader, item.read) for item in cores} == {("AB", 1), ("AB", 2), ("CD", None)}
    assert next(item for item in cores if item.reader == "CD").start_hash == "ab" * 32


def test_sessions_hours_later_are_no_baseline(cohort):
    for session in ("24h", "3h"):
        save(cohort / f"derivatives/sub-0001/ses-{session}/perfusion-maps/sub-0001_ses-{session}_tmax.nii.gz", seed=77)
    found = index_cohort(cohort)["sub-0001"]
    assert "ses-01" in found.images["tmax"].name
    assert set(found.later) == {"02", "24h", "3h"}


def test_isles_17_18_and_22_and_24(tmp_path):
    for year, kind in ((17, "MR_ADC"), (18, "CT_CBF")):
        case = tmp_path / f"isles{year}" / "TRAINING" / "case_1"
        save(case / f"SMIR.Brain.XX.O.{kind}.1" / f"SMIR.Brain.XX.O.{kind}.1.nii", seed=year)
        base = "SMIR.Brain.XX.O.CT.3" if year == 18 else "SMIR.Brain.XX.O.MR_Tmax.3"
        save(case / base / f"{base}.nii", seed=year + 1)
        save(case / "SMIR.Brain.XX.O.OT.2" / "SMIR.Brain.XX.O.OT.2.nii", lesion(2))
    (mr,) = index_cohort(tmp_path / "isles17")
    (ct,) = index_cohort(tmp_path / "isles18")
    assert set(mr.images) == {"adc", "tmax"}
    assert set(ct.images) == {"ncct", "cbf"}
    # '17: the lesion at follow-up; '18: the core on the diffusion beside the CT.
    assert [item.target for item in mr.labels] == ["final-infarct"]
    assert [item.target for item in ct.labels] == ["acute-core"]
    name = "sub-strokecase0001"
    save(tmp_path / f"isles22/{name}/ses-0001/{name}_ses-0001_dwi.nii.gz", seed=5)
    save(tmp_path / f"isles22/derivatives/{name}/ses-0001/{name}_ses-0001_msk.nii.gz", lesion(1))
    (acute,) = index_cohort(tmp_path / "isles22")
    assert [item.target for item in acute.labels] == ["acute-core"]
    name = "sub-stroke0001"
    save(tmp_path / f"isles24/train/raw_data/{name}/ses-01/{name}_ses-01_ncct.nii.gz", seed=6)
    save(tmp_path / f"isles24/train/derivatives/{name}/ses-01/{name}_ses-01_lvo-msk.nii.gz", lesion(1))
    save(tmp_path / f"isles24/train/derivatives/{name}/ses-02/{name}_ses-02_lesion-msk.nii.gz", lesion(1))
    (late,) = index_cohort(tmp_path / "isles24")
    assert [item.target for item in late.labels] == ["final-infarct"]


def test_loose_folders(tmp_path):
    for n in (1, 2):
        save(tmp_path / f"patient {n}" / "dwi.nii.gz", seed=n)
        save(tmp_path / f"patient {n}" / "lesion.nii.gz", lesion(2))
    save(tmp_path / "patient 1" / "core_mask.nii.gz", lesion(1))
    save(tmp_path / "patient 1" / "mask.nii.gz", lesion(1))
    found = index_cohort(tmp_path)
    assert [p.id for p in found] == ["patient 1", "patient 2"]
    assert {item.target for item in found["patient 1"].labels} == {"acute-core", "final-infarct"}
    assert any("mask.nii.gz: a mask whose target is not told" in note for note in found["patient 1"].notes)
    (alone,) = index_cohort(tmp_path / "patient 2")
    assert (alone.layout, alone.id) == ("loose", "patient 2")


def test_one_patient_of_a_cohort(cohort):
    found = index_cohort(cohort / "raw_data" / "sub-0002")
    assert [p.id for p in found] == ["sub-0002"]
    assert found.patients[0].labels


def test_a_label_on_another_grid_is_not_used_and_said(cohort):
    path = cohort / "derivatives/sub-0001/ses-02/sub-0001_ses-02_lesion-msk.nii.gz"
    save(path, 1, shape=(9, 8, 3))
    first = index_cohort(cohort)["sub-0001"]
    assert first.labels[0].grid == "other"
    assert first.label("final-infarct") is None
    assert any("label on another grid (9×8×3)" in note and str(path) in note for note in first.notes)
    # A hundredth of a millimetre is another grid, a hundred-thousandth is a header's rounding.
    save(path, lesion(3), shift=0.01)
    assert index_cohort(cohort)["sub-0001"].labels[0].grid == "other"
    save(path, lesion(3), shift=0.00001)
    assert index_cohort(cohort)["sub-0001"].labels[0].grid == "baseline"


def test_a_label_on_the_follow_ups_grid_can_be_registered(cohort):
    place = cohort / "raw_data/sub-0001/ses-02/sub-0001_ses-02_flair.nii.gz"
    save(place, shape=(9, 8, 3), seed=4)
    save(cohort / "derivatives/sub-0001/ses-02/sub-0001_ses-02_lesion-msk.nii.gz", 1, shape=(9, 8, 3))
    assert index_cohort(cohort)["sub-0001"].labels[0].grid == "follow-up"


def test_a_broken_label_costs_its_patient_alone(cohort):
    (cohort / "derivatives/sub-0002/ses-02/sub-0002_ses-02_lesion-msk.nii.gz").write_bytes(b"no image")
    found = index_cohort(cohort)
    assert found["sub-0002"].labels_of("final-infarct") == ()
    assert any("no readable image" in note for note in found["sub-0002"].notes)
    assert found["sub-0001"].labels_of("final-infarct")


def test_a_patient_listed_twice_and_in_two_centres(cohort):
    table = cohort / "participants.tsv"
    text = table.read_text()
    table.write_text(text + "sub-0001\t70\t12\t2B\tLyon\tany\n")
    first = index_cohort(cohort)["sub-0001"]
    assert first.problems == ()
    assert any("lists sub-0001 2 times" in note for note in first.notes)
    table.write_text(text + "sub-0001\t70\t12\t2B\tBern\tany\n")
    (problem,) = index_cohort(cohort)["sub-0001"].problems
    assert "a patient in two centres (Bern, Lyon)" in problem
    table.write_text(text + "sub-0001\t71\t12\t2B\tLyon\tany\n")
    first = index_cohort(cohort)["sub-0001"]
    assert "lists it 2 times" in first.problems[0]
    assert "age" not in first.facts
    assert first.facts["nihss"] == 12


def test_one_patient_under_two_names_is_found_by_the_image(cohort):
    source = cohort / "raw_data/sub-0001/ses-01/sub-0001_ses-01_dwi.nii.gz"
    copy = cohort / "raw_data/sub-0002/ses-01/sub-0002_ses-01_dwi.nii.gz"
    # Compressed anew, at another time: other bytes, the same image.
    with gzip.GzipFile(copy, "wb", compresslevel=1, mtime=12345) as stream:
        stream.write(gzip.decompress(source.read_bytes()))
    assert copy.read_bytes() != source.read_bytes()
    found = index_cohort(cohort)
    (problem,) = found["sub-0002"].problems
    assert "one patient twice in two centres (Bern, Lyon)" in problem
    assert "sub-0001" in problem
    assert found["sub-0002"].person == "sub-0001"
    assert found["sub-0001"].problems == ()
    assert found["sub-0003"].problems == ()


def test_a_twin_is_the_person_that_the_table_calls_the_first(tmp_path):
    for n in (1, 2):
        bids_patient(tmp_path, f"sub-0{n}", seed=1)
    write_table(tmp_path, {"participant_id": "sub-01", "person": "P"}, {"participant_id": "sub-02", "person": "Q"})
    assert [p.person for p in index_cohort(tmp_path)] == ["P", "P"]


def test_empty_maps_are_no_sign_of_one_patient(cohort):
    for n in (1, 2):
        save(cohort / f"derivatives/sub-000{n}/ses-01/perfusion-maps/sub-000{n}_ses-01_tmax.nii.gz", 0)
    assert not any(p.problems for p in index_cohort(cohort))


def test_images_of_one_size_are_not_taken_for_one(tmp_path):
    for n in (1, 2):
        path = save(tmp_path / f"p{n}" / "adc.nii", seed=n)
    save(tmp_path / "p3" / "x.nii")
    shutil.copy(path, tmp_path / "p3" / "adc.nii")
    found = index_cohort(tmp_path)
    assert [bool(p.problems) for p in found] == [False, False, True]


def test_a_patient_of_the_table_without_folder_is_not_lost(cohort):
    with (cohort / "participants.tsv").open("a") as stream:
        stream.write("sub-0009\t60\t5\t3\tLyon\tany\n")
    assert "there is no folder" in index_cohort(cohort)["sub-0009"].problems[0]


def test_folders_without_patients_and_unreadable_tables(tmp_path, cohort):
    with pytest.raises(StrokeError, match="no such folder"):
        index_cohort(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(StrokeError, match="no patients here"):
        index_cohort(tmp_path / "empty")
    (cohort / "participants.tsv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StrokeError, match=r"participants\.tsv: cannot be read"):
        index_cohort(cohort)


def test_without_headers_nothing_is_opened(cohort, monkeypatch):
    import nibabel

    def refuse(*_, **__):
        raise AssertionError("an image was opened")

    monkeypatch.setattr(nibabel, "load", refuse)
    assert {item.grid for p in index_cohort(cohort, headers=False) for item in p.labels} == {"unknown"}


def test_slicers_own_process_can_import_the_table_and_the_index(stroke_environment):
    blocked = {*WORKERS_ALONE, "nibabel", "filelock", "distributed", "dask"}
    code = (
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {blocked!r}: raise ImportError(name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "import StrokeTrainLib.cohort.index, StrokeTrainLib.cohort.splits, StrokeTrainLib.cohort.select\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=stroke_environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_voxels_are_never_read(cohort, monkeypatch):
    import nibabel

    def refuse(*_, **__):
        raise AssertionError("voxels were read")

    monkeypatch.setattr(nibabel.arrayproxy.ArrayProxy, "__array__", refuse)
    monkeypatch.setattr(nibabel.arrayproxy.ArrayProxy, "get_unscaled", refuse)
    assert len(index_cohort(cohort)) == 3
