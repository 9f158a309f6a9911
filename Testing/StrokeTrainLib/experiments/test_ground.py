"""Who takes part: a person in one part only, whatever the cohort's records; the locked test set in none."""

from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
from support.small_cohort import AFFINE, SHAPE, write_cohort

from StrokeTrainLib.cohort.index import index_cohort
from StrokeTrainLib.cohort.splits import make_splits
from StrokeTrainLib.cohort.table import Patient
from StrokeTrainLib.experiments import alis_vendors, fate_conditioning, ground, run
from StrokeTrainLib.experiments.setting import Setting
from StrokeTrainLib.recipes import load_recipe


def records(folder, people=20, facts=None):
    """Return two records of every person: imaged by both vendors, or seen in both courses of events."""
    made = [
        Patient(f"p{number:02d}{vendor}", folder, "bids", {}, person=f"person-{number:02d}",
                facts={"vendor": vendor} | (facts(number, vendor) if facts else {}))
        for number in range(people) for vendor in "AB"
    ]  # fmt: skip
    return {patient.id: patient for patient in made}


def cohort_ground(patients, folder, scheme="5-fold"):
    volumes = {name: 5.0 + number for number, name in enumerate(patients)}
    splits = make_splits(list(patients.values()), scheme, 0, volumes=volumes)
    return ground.Ground({"cache": str(folder)}, splits, patients, volumes, [], [])


def test_a_person_imaged_by_both_vendors_is_in_the_same_part_of_both(tmp_path):
    patients = records(tmp_path)
    made, _ = alis_vendors.deal(cohort_ground(patients, tmp_path), Setting(tmp_path, tmp_path))
    people = {arm: {part: {patients[name].person for name in getattr(splits.folds[0], part)}
                    for part in ("train", "validation", "test")} for arm, splits in made.items()}  # fmt: skip
    for arm in "AB":
        assert not people[arm]["test"] & (people[arm]["train"] | people[arm]["validation"])
        # Whoever tests a fine-tuned model was learnt from neither in its first nor in its second training.
        assert not people[f"{arm}-tuned"]["test"] & (people[arm]["train"] | people[arm]["validation"])
        assert not people[f"{arm}-tuned"]["test"] & people[f"{arm}-tuned"]["validation"]
        vendors = {patients[name].vendor for name in made[arm].folds[0].train}
        assert vendors == {arm}
        other = "AB".replace(arm, "")
        assert {patients[name].vendor for name in made[f"{arm}-tuned"].folds[0].validation} == {other}
    sizes = [len(made["A"].folds[0].train), len(made["A"].folds[0].validation), len(made["A-tuned"].folds[0].test)]
    assert sizes == [16, 2, 2]


def test_that_fewer_people_than_records_are_tested_is_said(tmp_path):
    patients = records(tmp_path)
    whole = cohort_ground(patients, tmp_path)
    (told,) = run._persons(SimpleNamespace(splits={"model": whole.splits}, ground=whole))
    assert told.startswith("40 records of 20 persons were tested.")
    alone = {name: patient for name, patient in patients.items() if name.endswith("A")}
    whole = cohort_ground(alone, tmp_path)
    assert run._persons(SimpleNamespace(splits={"model": whole.splits}, ground=whole)) == []


def test_alis_patients_without_a_core_take_no_part(tmp_path):
    patients = {name: p for name, p in records(tmp_path, people=30).items() if int(name[1:3]) % 2 == (name[3] == "A")}
    whole = cohort_ground(patients, tmp_path)
    without = sorted(patients)[:4]
    volumes = whole.volumes | dict.fromkeys(without, 0.0)
    changed = ground.Ground(whole.facts, whole.splits, patients, volumes, [], [])
    made, told = alis_vendors.deal(changed, Setting(tmp_path, tmp_path))
    parts = [set(getattr(s.folds[0], part)) for s in made.values() for part in ("train", "validation", "test")]
    assert set().union(*parts) == set(patients) - set(without)
    assert told == ["4 patients without a core take no part, as in the paper."]


def test_both_courses_of_one_person_are_in_the_same_fold(tmp_path):
    patients = records(tmp_path, facts=lambda number, vendor: {"mtici": "3" if vendor == "A" else "0"})
    made, _ = fate_conditioning.deal(cohort_ground(patients, tmp_path), Setting(tmp_path, tmp_path))
    assert set(made) == {"conditioned", "only-none", "only-complete"}
    for splits in made.values():
        for fold in splits.folds:
            tested = {patients[name].person for name in fold.test}
            assert not tested & {patients[name].person for name in (*fold.train, *fold.validation)}
            assert len(fold.test) == 2 * len(tested)


def test_the_course_is_measured_on_later_maps_where_the_table_is_silent(tmp_path):
    write_cohort(tmp_path / "cohort", 4, roles=("dwi", "adc", "tmax"))
    table = tmp_path / "cohort" / "participants.tsv"
    names = [f"sub-{number + 1:04d}" for number in range(4)]
    table.write_text("participant_id\tage\n" + "".join(f"{name}\t60\n" for name in names))
    for number, name in enumerate(names):
        base = tmp_path / f"cohort/derivatives/{name}/ses-01/perfusion-maps/{name}_ses-01_tmax.nii.gz"
        values = np.asarray(nibabel.load(base).dataobj)
        later = values if number % 2 else np.where(values > 0, 2.0, 0.0).astype(np.float32)
        place = tmp_path / f"cohort/derivatives/{name}/ses-24h/perfusion-maps/{name}_ses-24h_tmax.nii.gz"
        place.parent.mkdir(parents=True)
        assert later.shape == SHAPE
        nibabel.save(nibabel.Nifti1Image(later, AFFINE), place)
    patients = {patient.id: patient for patient in index_cohort(tmp_path / "cohort")}
    whole = cohort_ground(patients, tmp_path / "cache", "2-fold")
    made, _ = fate_conditioning.deal(whole, Setting(tmp_path, tmp_path))
    for state, remainder in (("complete", 0), ("none", 1)):
        learnt = {name for fold in made[f"only-{state}"].folds for name in (*fold.train, *fold.validation)}
        assert learnt == {name for number, name in enumerate(names) if number % 2 == remainder}


@pytest.mark.parametrize("most", [6, 40])
def test_the_locked_test_set_takes_no_part_and_the_quick_number_is_the_experiments(tmp_path, most):
    patients = {f"p{number}": Patient(f"p{number}", tmp_path, "bids", {}) for number in range(12)}
    splits = make_splits(list(patients.values()), "2-fold", 0, stratify=(), kept_out=["p3", "p7"])
    assert set(splits.locked) == {"p3", "p7"}
    why = f"{tmp_path}/raw_data/sub-0021/ses-01/sub-0021_ses-01_pwi.nii.gz: the arterial input holds no contrast."
    facts = {"lesion_ml": dict.fromkeys(patients, 1.0), "selection": {"excluded": []}, "unusable": {"p": why}}
    facts["notes"] = []
    plan = SimpleNamespace(facts=facts, splits=splits, patients=patients, recipe=load_recipe("debs2021"))
    found = ground._ground(plan, Setting(tmp_path, tmp_path, quick=True), "2-fold", most)
    assert len(found.patients) == min(most, 10)
    assert not {"p3", "p7"} & found.patients.keys()
    assert sorted(name for fold in found.splits.folds for name in fold.test) == sorted(found.patients)
    # A table is handed on: it does not tell where the cohort lies.
    assert found.left_out[0].startswith("raw_data/sub-0021/ses-01/")
    assert [line for line in found.left_out if "locked test set" in line] == [
        f"{name}: belongs to the cohort's locked test set." for name in ("p3", "p7")
    ]
