"""What models say of a patient reaches the tables and the page: intervals, treatment, classifications."""

from support.studies import make_study

from StrokePredictLib.report.html import render_report
from StrokePredictLib.report.predicted import (
    classification_sentences,
    interval_sentences,
    joined_predictions,
    model_label,
    segment_names,
    treatment_sentences,
)
from StrokePredictLib.report.tables import is_demonstration, prediction_rows


def several():
    """A study on which three models ran, two of them for one question, and a classifier."""
    study = make_study()
    general = study.prediction["models"][0] | {
        "name": "infarct-general", "title": "Predicted infarct (general)", "demonstration": False,
        "volume_interval_ml": {"low": 3.21, "high": 81.77, "coverage": 0.9, "patients": 40},
    }  # fmt: skip
    course = {"course": {"reperfusion": "complete", "onset_to_imaging_min": None}, "model": "fate"}
    fate = general | course | {
        "name": "fate-reperfused", "title": "Predicted infarct if reperfused", "demonstration": True,
        "segment": "infarct_predicted_reperfused@fate", "volume_ml": 20.04,
    }  # fmt: skip
    fate.pop("volume_interval_ml")
    study.prediction["models"] = [general, fate]
    study.prediction["treatment"] = [{
        "models": ["fate-reperfused", "fate-not-reperfused"], "reperfused_ml": 20.04, "not_reperfused_ml": 55.5,
        "saved_ml": 35.46, "dice": 0.412, "responder": True, "rule": "Debs 2021", "note": "Association, not causation.",
    }]  # fmt: skip
    study.prediction["classifications"] = [{
        "name": "core-volume-ctp", "title": "Large core", "probability": 0.8312, "demonstration": True,
        "sections": [4, 7], "sections_by": "proposed through MNI space",
    }]  # fmt: skip
    return study


def test_rows_tell_models_apart_and_carry_their_intervals():
    rows = {row.key: row for row in prediction_rows(several())}
    assert rows["infarct-general"].label == "Predicted infarct (general)"
    assert rows["infarct-general"].interval == "3.2 to 81.8"
    assert rows["fate-reperfused"].label == "Predicted infarct if reperfused (fate)"
    assert rows["fate-reperfused"].interval == ""
    assert rows["infarct-general"].colour != rows["fate-reperfused"].colour


def test_what_happened_is_no_truth_of_what_might_have():
    rows = {row.key: row for row in prediction_rows(several())}
    assert rows["infarct-general"].truth == "44.0"
    assert rows["fate-reperfused"].truth == ""


def test_treatment_and_classification_are_said_with_their_numbers():
    study = several()
    treatment, note = treatment_sentences(study.prediction)
    for part in ("20.0 mL if reperfused", "55.5 mL if not", "35.5 mL less", "Dice 0.41", "responder (Debs 2021)"):
        assert part in treatment
    assert "no responder" not in treatment
    assert note == "Association, not causation."
    (line,) = classification_sentences(study.prediction)
    assert line == "Large core (demonstration): probability 0.83, sections 5, 8 proposed through MNI space."
    (interval,) = interval_sentences(study.prediction)
    assert interval.startswith("90% intervals")
    assert "40 held-out patients (infarct-general)" in interval


def test_a_negative_effect_is_not_called_a_gain():
    effect = several().prediction["treatment"][0] | {"saved_ml": -3.0, "responder": False}
    line = treatment_sentences({"treatment": [effect]})[0]
    assert "3.0 mL more with reperfusion" in line
    assert "no responder" in line


def test_segments_of_demonstration_weights_say_so_in_their_names():
    names = segment_names(several().prediction)
    assert names == {
        "infarct_predicted": "Predicted infarct (general)",
        "infarct_predicted_reperfused@fate": "Predicted infarct if reperfused (fate), demonstration",
    }


def test_a_demonstration_classifier_alone_puts_the_notice_on_the_page():
    study = several()
    study.prediction["models"] = []
    assert is_demonstration(study)
    assert "Demonstration weights" in render_report(study)


def test_the_page_holds_all_of_it():
    page = render_report(several())
    for words in ("90 % interval", "3.2 to 81.8 mL", "35.5 mL less", "probability 0.83", "if reperfused (fate)"):
        assert words in page, words


def test_a_title_that_names_the_model_is_not_doubled():
    record = {"name": "x", "title": "Infarct (Fate)", "segment": "infarct_predicted@fate"}
    assert model_label(record) == "Infarct (Fate)"
    assert model_label({"name": "x"}) == "x"


def test_what_other_models_said_of_the_same_maps_still_holds():
    before = several().prediction
    again = {"models": [before["models"][0] | {"volume_ml": 1.0}], "treatment": [], "classifications": [], "doubts": []}
    joined = joined_predictions(before, again)
    assert {model["name"]: model["volume_ml"] for model in joined["models"]} == {
        "fate-reperfused": 20.04, "infarct-general": 1.0,
    }  # fmt: skip
    assert joined["classifications"] == before["classifications"]
    assert joined["treatment"] == [], "one of the pair is not there"
    assert joined_predictions(before, None) is before
    assert joined_predictions(None, again) is again


def test_of_two_models_that_filled_one_segment_the_last_stands():
    first, second = ({"models": [{"name": name, "segment": "infarct_predicted"}]} for name in ("a", "b"))
    assert [model["name"] for model in joined_predictions(first, second)["models"]] == ["b"]
