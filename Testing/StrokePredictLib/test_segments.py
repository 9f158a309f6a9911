import json

import pytest

from StrokePredictLib.segments import SEGMENTS, TERMINOLOGY_FILE, assigned, kind_of, ordered, segment_for, terminology


def test_the_terminology_file_is_what_the_segments_say():
    assert json.loads(TERMINOLOGY_FILE.read_text(encoding="utf-8")) == terminology()
    assert TERMINOLOGY_FILE.name.endswith(".term.json")  # Slicer takes no other ending


def test_the_terminology_has_what_slicers_schema_requires():
    context = json.loads(TERMINOLOGY_FILE.read_text(encoding="utf-8"))
    assert context["@schema"].endswith("segment-context-schema.json#")
    assert isinstance(context["SegmentationCategoryTypeContextName"], str)
    for category in context["SegmentationCodes"]["Category"]:
        for entry in [category, *category["Type"]]:
            assert {"CodingSchemeDesignator", "CodeValue", "CodeMeaning"} <= set(entry)
        for entry in category["Type"]:
            assert len(entry["recommendedDisplayRGBValue"]) == 3
            assert all(isinstance(c, int) and 0 <= c <= 255 for c in entry["recommendedDisplayRGBValue"])


@pytest.mark.parametrize("segment", SEGMENTS.values(), ids=list(SEGMENTS))
def test_codes_keep_dicoms_limits(segment):
    """PS3.5: SH holds 16 characters, LO 64; PS3.3 annex 8: private schemes begin with 99."""
    for code in (segment.category, segment.type):
        assert 0 < len(code.value) <= 16
        assert len(code.scheme) <= 16
        assert 0 < len(code.meaning) <= 64
        assert code.scheme == "SCT" or code.scheme.startswith("99")
        assert not set("~^|") & set(code.value + code.meaning)  # these separate parts in Slicer's texts
        if code.scheme == "SCT":
            assert code.value.isdigit()


def test_codes_colours_and_names_tell_segments_apart():
    for what in ("name", "colour", "type"):
        assert len({getattr(segment, what) for segment in SEGMENTS.values()}) == len(SEGMENTS)


def test_core_is_magenta_and_hypoperfusion_green():
    red, green, blue = SEGMENTS["core_adc"].colour
    assert min(red, blue) > 0.9
    assert green < 0.1
    red, green, blue = SEGMENTS["hypoperfused_tmax"].colour
    assert green > 2 * max(red, blue)


def test_unknown_masks_keep_their_key_and_come_last():
    assert segment_for("site_special").key == "site_special"
    assert ordered(["zzz", "brain", "core_adc", "aaa"]) == ["core_adc", "brain", "aaa", "zzz"]


def test_models_of_one_kind_have_segments_of_their_own():
    """Seven models as they ship: two answer each of the questions "if reperfused" and "if not"."""
    kinds = {
        "fate-reperfused": "infarct_predicted_reperfused",
        "fate-not-reperfused": "infarct_predicted_not_reperfused",
        "infarct-attention": "infarct_predicted_attention",
        "infarct-general": "infarct_predicted",
        "infarct-nonreperfused": "infarct_predicted_not_reperfused",
        "infarct-reperfused": "infarct_predicted_reperfused",
        "core-dwi": "core_network",
    }
    models = [
        {"name": name, "segment": kind} | ({"model": "fate", "course": {}} if name.startswith("fate") else {})
        for name, kind in kinds.items()
    ]
    keys = assigned(models)
    assert len(set(keys.values())) == len(models)
    assert keys["infarct-reperfused"] == "infarct_predicted_reperfused"
    assert keys["fate-reperfused"] == "infarct_predicted_reperfused@fate"
    assert {name: kind_of(key) for name, key in keys.items()} == kinds
    names = {segment_for(key).name for key in keys.values()}
    assert names == {
        "Predicted infarct (general)", "Predicted infarct if reperfused", "Predicted infarct if not reperfused",
        "Predicted infarct (attention U-Net)", "Core (network)", "Predicted infarct if reperfused (fate)",
        "Predicted infarct if not reperfused (fate)",
    }  # fmt: skip
    assert len({segment_for(key).colour for key in keys.values()}) == len(keys)


def test_a_model_keeps_its_segment_when_it_runs_again_or_another_comes():
    a, b = ({"name": name, "segment": "infarct_predicted"} for name in "ab")
    first = assigned([b])
    assert first == {"b": "infarct_predicted"}
    both = assigned([a, b], first)
    assert both == {"b": "infarct_predicted", "a": "infarct_predicted@a"}
    assert assigned([a], both) == {"a": "infarct_predicted@a"}


def test_a_model_of_a_taken_kind_has_the_kinds_codes_and_its_own_name_and_shade():
    own, shared = segment_for("infarct_predicted@site-7"), SEGMENTS["infarct_predicted"]
    assert own.name == "Predicted infarct (site-7)"
    assert (own.category, own.type) == (shared.category, shared.type)
    assert own.colour != shared.colour
    assert all(0 <= part <= 1 for part in own.colour)
    assert ordered(["infarct_predicted@site-7", "brain", "infarct_predicted"])[:2] == [
        "infarct_predicted", "infarct_predicted@site-7",
    ]  # fmt: skip
