import json

import pytest

from StrokePredictLib.segments import SEGMENTS, TERMINOLOGY_FILE, ordered, segment_for, terminology


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
