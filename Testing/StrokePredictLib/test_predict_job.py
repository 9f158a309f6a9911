"""The prediction job: all models whose inputs exist, one patient or a cohort, and what is told of the rest."""

import json
import shutil

import nibabel
import numpy as np
import pytest
from support.models import make_case, make_series, write_test_bundle

from StrokePredictLib import jobs, predict_job
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import read_image, write_image
from StrokePredictLib.models.install import install
from StrokePredictLib.thresholds import volume_ml


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    write_test_bundle(folder / "small", "debs2021", "small", members=2, mirror=True)
    # Thresholds in the middle of what these weights give, so that the masks are neither empty nor full.
    middle = {"with-it": (0, 0.547, "reperfused"), "without": (4, 0.682, "not-reperfused")}
    for name, (seed, threshold, group) in middle.items():
        write_test_bundle(folder / name, "yu2020", name, first_seed=seed, threshold=threshold, reperfusion=group)
    write_test_bundle(folder / "other", "debs2021", "other")
    write_test_bundle(folder / "attention", "yu2020", "attention")
    write_test_bundle(folder / "fate", "fate", "fate")
    write_test_bundle(folder / "large-core", "mittermeier2022", "large-core")
    return folder


@pytest.fixture
def store(bundles, tmp_path, monkeypatch):
    monkeypatch.setenv("STROKE_MODELS", str(tmp_path / "store"))

    def fill(*names):
        for name in names:
            install(bundles / name)

    return fill


@pytest.fixture(autouse=True)
def no_shipped_models(tmp_path, monkeypatch):
    (tmp_path / "none").mkdir()
    monkeypatch.setattr("StrokePredictLib.models.store.SHIPPED", tmp_path / "none")


def save_case(folder, case):
    for role, volume in case.volumes.items():
        name = "brain_mask" if role == "brain" else role
        if not volume.is_series:
            write_image(folder / f"{name}.nii.gz", volume)
    return folder


@pytest.fixture
def patient(tmp_path):
    folder = tmp_path / "patient"
    folder.mkdir()
    return save_case(folder, make_case())


def test_every_model_whose_inputs_exist_and_why_not_the_others(store, tmp_path):
    store("small", "attention")
    folder = tmp_path / "few"
    folder.mkdir()
    save_case(folder, make_case(roles=("dwi", "adc")))
    result = jobs.run("predict", output=tmp_path / "out", folder=folder, device="cpu")
    record = json.loads((tmp_path / "out" / "prediction.json").read_text())
    assert record == result["prediction"]
    assert [model["name"] for model in record["models"]] == ["small"]
    assert record["skipped"] == [{"name": "attention", "reason": "Tmax, MTT, CBF, CBV missing"}]
    written = {path.name for path in (tmp_path / "out").iterdir()}
    images = {f"{kind}_small.nii.gz" for kind in ("prob", "mask", "uncertainty")}
    assert written == images | {"prediction.json"}
    mask = read_image(tmp_path / "out" / "mask_small.nii.gz", may_be_empty=True)
    probability = read_image(tmp_path / "out" / "prob_small.nii.gz", may_be_empty=True)
    assert np.array_equal(mask.array > 0, probability.array >= np.float32(0.5))
    assert record["models"][0]["volume_ml"] == pytest.approx(volume_ml(mask), abs=0.01)
    assert record["models"][0]["passes"] == 4


def test_a_damaged_installed_model_hides_no_other(store, patient, tmp_path):
    store("small", "attention")
    (tmp_path / "store" / "attention" / "configs" / "metadata.json").write_text("{}")
    result = jobs.run("predict", output=tmp_path / "out", folder=patient, device="cpu")["prediction"]
    assert [model["name"] for model in result["models"]] == ["small"]
    assert "was altered" in result["skipped"][0]["reason"]
    with pytest.raises(StrokeError, match="was altered"):
        jobs.run("predict", output=tmp_path / "o2", folder=patient, models=["attention"])


def test_two_models_of_two_scenarios_give_the_treatment_effect(bundles, patient, tmp_path):
    models = [str(bundles / name) for name in ("with-it", "without")]
    result = jobs.run("predict", output=tmp_path / "out", folder=patient, models=models, device="cpu")["prediction"]
    (effect,) = result["treatment"]
    assert effect["models"] == ["with-it", "without"]
    masks = [read_image(tmp_path / "out" / f"mask_{n}.nii.gz", may_be_empty=True).array > 0 for n in effect["models"]]
    dice = 2 * (masks[0] & masks[1]).sum() / (masks[0].sum() + masks[1].sum())
    assert 0.01 < dice < 0.99
    assert effect["dice"] == pytest.approx(dice, abs=1e-3)


def test_a_conditioned_model_answers_for_both_courses(bundles, patient, tmp_path):
    models = [str(bundles / "fate")]
    result = jobs.run("predict", output=tmp_path / "out", folder=patient, models=models, device="cpu")["prediction"]
    assert [(m["name"], m["segment"]) for m in result["models"]] == [
        ("fate-reperfused", "infarct_predicted_reperfused"),
        ("fate-not-reperfused", "infarct_predicted_not_reperfused"),
    ]
    assert (tmp_path / "out" / "prob_fate-not-reperfused.nii.gz").is_file()
    assert len(result["treatment"]) == 1


def test_the_classifier_gives_a_number_and_no_image(bundles, tmp_path):
    case = make_case(roles=())
    series, times = make_series(case)
    folder = tmp_path / "ct"
    folder.mkdir()
    save_case(folder, case)
    image = nibabel.Nifti1Image(np.moveaxis(series.array, 0, -1).transpose(2, 1, 0, 3), np.diag([-3.6, -3.6, 6, 1]))
    image.header.set_zooms([3.6, 3.6, 6.0, 2.0])
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, folder / "ctp.nii.gz")
    result = jobs.run(
        "predict", output=tmp_path / "out", folder=folder, models=[str(bundles / "large-core")], device="cpu",
        levels=[2, 4],
    )["prediction"]  # fmt: skip
    assert result["models"] == []
    (found,) = result["classifications"]
    assert 0 < found["probability"] < 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"prediction.json"}
    assert "ctp" in result["provenance"]["inputs"]
    assert times[1] == 2


def test_the_slider_looks_at_a_patients_images_once(bundles, patient, tmp_path):
    def ask(**more):
        return jobs.run(
            "what-if", output=tmp_path / "out", folder=patient, model=str(bundles / "fate"), device="cpu", **more
        )

    first, second = ask(reperfusion=0.0), ask(reperfusion=0.8)
    assert first["looked_again"]
    assert not second["looked_again"]
    assert second["prediction"]["models"][0]["course"]["reperfusion"] == 0.8
    again = save_case(patient, make_case(seed=5))
    assert again == patient
    assert ask(reperfusion=0.8)["looked_again"]  # another image lies there now
    with pytest.raises(StrokeError, match="has no slider"):
        jobs.run("what-if", output=tmp_path / "o", folder=patient, model=str(bundles / "small"), reperfusion=0.1)


@pytest.fixture
def cohort(tmp_path):
    root = tmp_path / "cohort"
    for number in range(3):
        place = root / "raw_data" / f"sub-000{number}"
        place.mkdir(parents=True)
        save_case(place, make_case(roles=("dwi", "adc"), seed=number))
    return root


def run_cohort(cohort, out, **more):
    return jobs.run("predict", output=out, folder=cohort, device="cpu", **more)["cohort"]


def test_a_cohort_goes_on_where_it_was(cohort, bundles, tmp_path, monkeypatch):
    models, out = [str(bundles / "small")], tmp_path / "out"
    assert run_cohort(cohort, out, models=models)["done"] == ["sub-0000", "sub-0001", "sub-0002"]
    alone = jobs.run("predict", output=tmp_path / "x", folder=cohort, patient="sub-0001", models=models, device="cpu")
    record = json.loads((out / "sub-0001" / "prediction.json").read_text())
    assert record["models"][0]["volume_ml"] == alone["prediction"]["models"][0]["volume_ml"]

    (out / "sub-0001" / "mask_small.nii.gz").unlink()  # half a result is none
    write_image(cohort / "raw_data" / "sub-0002" / "dwi.nii.gz", make_case(roles=("dwi",), seed=9).volumes["dwi"])
    again = run_cohort(cohort, out, models=models)
    assert again["skipped"] == ["sub-0000"]
    assert again["done"] == ["sub-0001", "sub-0002"]  # the second for its new image

    def never(*_, **__):
        raise AssertionError("computed again")

    monkeypatch.setattr(predict_job, "predict", never)
    assert run_cohort(cohort, out, models=models)["skipped"] == ["sub-0000", "sub-0001", "sub-0002"]
    assert run_cohort(cohort, out, models=[str(bundles / "other")])["skipped"] == []  # another model was not run yet


def test_one_patients_fault_is_listed_and_costs_the_others_nothing(cohort, bundles, tmp_path):
    (cohort / "raw_data" / "sub-0001" / "adc.nii.gz").write_bytes(b"no image")
    shutil.rmtree(cohort / "raw_data" / "sub-0002")
    (cohort / "raw_data" / "sub-0002").mkdir()
    summary = run_cohort(cohort, tmp_path / "out", models=[str(bundles / "small")])
    assert summary["done"] == ["sub-0000"]
    assert [item["patient"] for item in summary["failed"]] == ["sub-0001", "sub-0002"]
    assert "no readable image" in summary["failed"][0]["reason"]
    assert json.loads((tmp_path / "out" / "cohort.json").read_text()) == summary
    assert not (tmp_path / "out" / "sub-0001").exists()


def test_a_fault_of_ours_costs_one_patient(cohort, bundles, tmp_path, monkeypatch):
    real, seen = predict_job.predict, []

    def faulty(case, *rest, **more):
        seen.append(case.patient)
        if len(seen) == 2:
            raise IndexError("ours")
        return real(case, *rest, **more)

    monkeypatch.setattr(predict_job, "predict", faulty)
    summary = run_cohort(cohort, tmp_path / "out", models=[str(bundles / "small")])
    assert summary["done"] == ["sub-0000", "sub-0002"]
    assert summary["failed"][0]["reason"] == "fault of the software: IndexError: ours"


def test_an_unknown_model_ends_a_cohort_before_it_begins(cohort, tmp_path):
    with pytest.raises(StrokeError, match="no model 'oracle'"):
        run_cohort(cohort, tmp_path / "out", models=["oracle"])
    assert not (tmp_path / "out").exists()


def test_no_model_at_all_and_wrong_formats(patient, tmp_path):
    with pytest.raises(StrokeError, match="no model is installed"):
        jobs.run("predict", output=tmp_path / "out", folder=patient)
    with pytest.raises(StrokeError, match="unknown image format"):
        jobs.run("predict", output=tmp_path / "out", folder=patient, form=".png")
