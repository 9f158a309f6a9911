"""A finished model on patients of another cohort: predicted where that is missing, by the code of stroke predict."""

import csv
import json

import numpy as np
import pytest
from sklearn.metrics import f1_score
from support.small_cohort import write_cohort
from support.small_run import write_model

from StrokePredictLib.inference import predict
from StrokePredictLib.io.images import read_image
from StrokePredictLib.io.load import load_case
from StrokeTrainLib.cards import to_card
from StrokeTrainLib.cohort.index import index_cohort
from StrokeTrainLib.evaluation.evaluate import Options, evaluate
from StrokeTrainLib.evaluation.external import joined, predict_model
from StrokeTrainLib.evaluation.methods_text import limit_of, truth_of
from StrokeTrainLib.evaluation.sources import from_model
from StrokeTrainLib.recipes import load_recipe


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Five patients, of whom the model has seen one and one cannot be predicted."""
    base = tmp_path_factory.mktemp("external")
    write_cohort(base / "cohort", 5)
    patients = list(index_cohort(base / "cohort"))
    changes = {"matrix": "[32,32]", "spacing_mm": "[6.5,6.5]"}
    recipe = load_recipe("debs2021-early", changes)
    calibration = {"errors": [float(n) / 4 for n in range(1, 21)], "scale": "cube-root"}
    bundle = write_model(base / "bundle", recipe, patients[:1], calibration=calibration)
    next((base / "cohort").glob("raw_data/sub-0002/**/*_dwi.nii.gz")).write_bytes(b"no image")
    failed = json.dumps({"quality_passed": False, "quality_failed": ["bolus"]})
    (base / "cohort/derivatives/sub-0004/ses-01/perfusion-maps/perfusion.json").write_text(failed)
    options = Options(workers=1, cache=base / "cache", resamples=100, rules=("adc",), subgroups=())
    result = evaluate(base / "cohort", base / "out", model=str(bundle.folder), options=options)
    return base, bundle, options, result


def test_predictions_are_those_of_stroke_predict(made):
    base, bundle, *_ = made
    for patient in ("sub-0003", "sub-0004"):
        place = base / "out" / "predictions" / patient
        case = load_case(base / "cohort", patient=patient)
        again = predict(case, bundle, device="cpu")
        probability = read_image(place / f"prob_{bundle.card.name}.nii.gz").array
        np.testing.assert_allclose(probability, again.probability.array, atol=1e-6)
        true = read_image(next((base / "cohort" / "derivatives" / patient / "ses-02").glob("*lesion*"))).array > 0.5
        rows = (base / "out" / "metrics.csv").read_text().splitlines()
        cells = next(row for row in rows if row.startswith(f"{patient},{bundle.card.name},")).split(",")
        dice = float(cells[rows[0].split(",").index("dice")])
        assert dice == pytest.approx(f1_score(true.ravel(), again.mask.array.ravel()), abs=1e-9)


def test_who_was_seen_or_failed_is_said(made):
    _, bundle, _, result = made
    assert (result["patients"], result["scored"]) == (5, 3)
    notes = " ".join(result["notes"])
    assert f"model '{bundle.card.name}' was trained on this patient" in notes
    assert "sub-0002_ses-01_dwi.nii.gz" in notes
    assert "failed the quality check" in notes
    assert "sub-0004 (bolus)" in notes
    flow = result["summary"]["flow"]
    assert {box["reason"]: box["patients"] for box in flow["excluded"] if box["patients"]} == {
        "Seen by the model, or outline begun as its prediction": 1, "No usable prediction or truth": 1,
    }  # fmt: skip


def test_the_rule_is_described_in_the_patients_whom_the_model_may_be_tested_on(made):
    base, bundle, _, result = made
    with (base / "out" / "metrics.csv").open(newline="") as stream:
        dice = {row["patient"]: float(row["dice"]) for row in csv.DictReader(stream) if row["method"] == "adc"
                and row["dice"]}  # fmt: skip
    # The model has seen sub-0001; the rule needs ADC alone and could do without sub-0002's broken DWI, the model not.
    assert "sub-0001" in dice
    tested = ["sub-0003", "sub-0004", "sub-0005"]
    told = result["summary"]["methods"]["adc"]
    assert (told["scored"], told["missing"], result["summary"]["tested"]) == (3, 0, 3)
    assert told["metrics"]["dice"]["median"] == pytest.approx(np.median([dice[name] for name in tested]))
    assert {part["n"] for part in result["summary"]["volumes"].values()} == {3}
    methods = result["summary"]["methods"]
    assert (methods[bundle.card.name]["scored"], methods[bundle.card.name]["missing"]) == (3, 2)


def test_its_volume_interval_is_tried(made):
    base, bundle, _, result = made
    told = result["summary"]["conformal"][bundle.card.name]
    assert told["n"] == 3
    name, covered = bundle.card.name, 0
    for row in (base / "out" / "metrics.csv").read_text().splitlines()[1:]:
        cells = row.split(",")
        head = (base / "out" / "metrics.csv").read_text().splitlines()[0].split(",")
        if cells[1] == name and cells[head.index("predicted_ml")]:
            true, predicted = (float(cells[head.index(key)]) for key in ("true_ml", "predicted_ml"))
            # 19th smallest of the 20 errors: ceil(21 · 0.9).
            covered += abs(np.cbrt(true) - np.cbrt(predicted)) <= 19 / 4
    assert told["covered"] == covered
    assert "volume interval" in (base / "out" / "report.html").read_text().lower()


def test_what_is_predicted_is_not_predicted_again(made):
    base, bundle, options, _ = made
    place = base / "out" / "predictions"
    records = [place / f"sub-{n:04d}" / "prediction.json" for n in (3, 4, 5)]
    before = [path.stat().st_mtime_ns for path in records]
    assert json.loads(records[0].read_text())["models"][0]["sha256"] == bundle.sha256
    patients = list(index_cohort(base / "cohort"))
    source = predict_model(from_model(bundle, place, patients), bundle, patients, cache=options.cache, workers=1)
    assert [path.stat().st_mtime_ns for path in records] == before
    assert [name for name, where in source.places.items() if not where.why] == ["sub-0003", "sub-0004", "sub-0005"]


def test_what_other_models_said_of_a_patient_is_kept():
    other, old = {"name": "other", "sha256": "1"}, {"name": "mine", "sha256": "2"}
    before = {"patient": "a", "models": [other, old], "classifications": [], "treatment": [{"x": 1}]}
    record = {"patient": "a", "models": [], "classifications": [], "treatment": [], "provenance": {"p": 1}}
    whole = joined(before, record, "models", {"name": "mine", "sha256": "3"})
    assert whole["models"] == [other, {"name": "mine", "sha256": "3", "provenance": {"p": 1}}]
    assert whole["treatment"] == [{"x": 1}]
    assert joined(None, record, "models", old)["models"] == [old]


def test_a_classifiers_card_tells_what_it_was_taught():
    card = to_card(load_recipe("mittermeier2022"), data="40 patients", label_above=32.44)
    assert (limit_of(card), truth_of(card)) == (32.4, "cbv")
    outlined = to_card(load_recipe("mittermeier2022", {"label": "outline"}), label_above=7.0)
    assert (limit_of(outlined), truth_of(outlined)) == (7.0, "outline")
    assert limit_of(to_card(load_recipe("yu2020"))) is None
