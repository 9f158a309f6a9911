"""The report is parsed as a browser would, and compared with the study."""

import base64
import json
from html.parser import HTMLParser

import pytest
from support.studies import make_study

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.report.html import render_report, report_json, write_report, write_report_json

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
VOID = {"meta", "img", "br", "hr", "link", "input", "line", "polyline"}


class Page(HTMLParser):
    """Tags, attributes and texts; fails where tags are not nested as they should be."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.texts, self.rows = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(data)
            if {"td", "th"} & set(self.open):
                self.rows[-1][-1] += data.strip()


def test_tables_hold_the_studys_numbers():
    study = make_study()
    page = Page(render_report(study))
    volumes = study.volumes["volumes_ml"]
    assert ["Core (ADC < 620)", f"{volumes['core_adc']:.1f} mL", "17.5 mL"] in page.rows
    assert ["Hypoperfused (Tmax > 6 s)", f"{volumes['hypoperfused_tmax']:.1f} mL", "160.2 mL"] in page.rows
    assert ["Mismatch ratio", f"{volumes['hypoperfused_tmax'] / volumes['core_adc']:.2f}"] in page.rows
    predicted = study.prediction["models"][0]["volume_ml"]
    assert ["Predicted infarct (demonstration)", f"{predicted:.1f} mL", "44.0 mL"] in page.rows


def test_every_criterion_and_every_quality_check_is_there():
    study = make_study()
    page = Page(render_report(study))
    words = {True: "met", False: "not met", None: "not assessable"}
    for trial in study.volumes["criteria"].values():
        assert f"{trial['title']}: {trial['verdict']}" in page.text
        for item in trial["items"]:
            assert [item["name"], item["value"], words[item["met"]]] in page.rows
    for check in study.perfusion["quality"]:
        wanted = [check["name"], check["sentence"], f"{check['value']:.2f}", f"{check['limit']:.2f}"]
        assert [*wanted, "yes" if check["passed"] else "no"] in page.rows


def test_what_every_page_must_say_is_said_at_the_top_and_at_the_foot():
    study = make_study()
    page = Page(render_report(study))
    for sentence in ("Simulated patient", "haemorrhage is not excluded", "Not for clinical use",
                     "Demonstration weights", study.volumes["coverage"]):  # fmt: skip
        assert page.text.count(sentence) >= 2, sentence
    assert "Side: Left" in page.text
    for sentence in (*study.case.doubts, *study.volumes["doubts"]):
        assert sentence in page.text


def test_not_computed_is_shown_as_such():
    study = make_study()
    study.volumes["volumes_ml"]["hypoperfused_tmax"] = "not computed"
    study.volumes["mismatch"] = {"volume_ml": "not computed", "ratio": "not computed"}
    study.volumes["hir"] = None
    study.perfusion["quality_passed"] = False
    page = Page(render_report(study))
    assert ["Hypoperfused (Tmax > 6 s)", "not computed", "160.2 mL"] in page.rows
    assert ["Mismatch volume", "not computed"] in page.rows
    assert ["Hypoperfusion intensity ratio (HIR)", "not computed"] in page.rows
    assert "A check failed" in page.text


def test_a_core_of_nothing_has_an_infinite_ratio():
    study = make_study()
    study.volumes["mismatch"]["ratio"] = "∞"
    assert ["Mismatch ratio", "∞"] in Page(render_report(study)).rows


def test_names_from_outside_are_escaped():
    study = make_study()
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    study.case.patient = evil
    study.case.doubts = [evil]
    study.volumes["coverage"] = evil
    study.volumes["criteria"]["dawn"]["items"][0]["name"] = evil
    study.perfusion["quality"][0]["sentence"] = evil
    study.perfusion["method"] = evil
    study.prediction["models"][0]["title"] = evil
    study.provenance["software"] = evil
    page = Page(render_report(study))
    assert not [tag for tag, _ in page.tags if tag in ("script", "img")]
    assert not [attrs for _, attrs in page.tags if any(name.startswith("on") for name in attrs)]
    assert page.text.count(evil) >= 7


def test_the_page_needs_nothing_from_elsewhere(tmp_path):
    (tmp_path / "summary.png").write_bytes(PIXEL)
    page = Page(render_report(make_study(), tmp_path / "summary.png"))
    links = [v for _, attrs in page.tags for k, v in attrs.items() if k in ("src", "href", "action", "xlink:href")]
    assert links == ["data:image/png;base64," + base64.b64encode(PIXEL).decode()]
    assert "link" not in [tag for tag, _ in page.tags]
    text = render_report(make_study())
    assert "@import" not in text
    assert "url(" not in text


def test_the_curves_are_drawn_to_scale():
    study = make_study()
    study.perfusion["times"] = [0.0, 10.0, 20.0]
    study.perfusion["aif"] = {"curve": [0.0, 8.0, 2.0]}
    study.perfusion["vof"] = None
    page = Page(render_report(study))
    (line,) = [attrs["points"] for tag, attrs in page.tags if tag == "polyline"]
    (x0, y0), (x1, y1), (x2, y2) = [tuple(map(float, p.split(","))) for p in line.split()]
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert y0 - y2 == pytest.approx((y0 - y1) / 4, abs=0.2)
    assert "Venous" not in page.text


def test_perfusion_without_curves_or_checks_is_no_trouble():
    study = make_study()
    study.perfusion = {"quality": [], "quality_passed": True, "times": {"times_s": [0.0]}, "aif": {}, "vof": None}
    page = Page(render_report(study))
    assert "polyline" not in [tag for tag, _ in page.tags]
    assert "All checks passed" not in page.text


def test_a_study_of_diffusion_alone():
    study = make_study(perfusion=False, prediction=False, truth=False)
    page = Page(render_report(study))
    assert "Perfusion quality" not in page.text
    assert "Prediction" not in page.text
    assert "Truth" not in page.text
    study.volumes = {}
    assert "Volumes: not computed." in Page(render_report(study)).text


def test_the_report_is_written_whole_or_not_at_all(tmp_path):
    write_report(make_study(), tmp_path / "report.html")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(StrokeError, match="summary"):
        write_report(make_study(), tmp_path / "other.html", tmp_path / "summary.png")
    with pytest.raises(StrokeError, match="nowhere"):
        write_report(make_study(), tmp_path / "nowhere" / "report.html")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_the_json_is_strict_and_holds_the_same(tmp_path):
    import numpy as np

    study = make_study()
    study.volumes["hir"] = float("nan")
    study.volumes["mismatch"]["ratio"] = float("inf")
    study.volumes["volumes_ml"]["core_adc"] = np.float64(15.5)
    study.provenance["path"] = tmp_path
    write_report_json(study, tmp_path / "report.json")

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert found["schema_version"] == "1.0"
    assert found["patient"] == "sub-0001"
    assert found["simulated"] is True
    assert found["volumes"]["volumes_ml"]["core_adc"] == 15.5
    assert found["volumes"]["hir"] == "not computed"
    assert found["volumes"]["mismatch"]["ratio"] == "∞"
    assert found["truth_ml"]["core_adc"] == 17.5
    assert "aif" not in found["perfusion"]
    assert found["prediction"]["models"][0]["demonstration"] is True
    assert any("haemorrhage" in line for line in found["warnings"])
    assert found == report_json(study)


def test_provenance_names_inputs_once_with_their_hash():
    study = make_study()
    record = study.volumes["provenance"]
    study.provenance = {"thresholds": record, "prediction": {**record, "seed": 7}}
    page = Page(render_report(study))
    assert ["inputs › dwi", f"dwi.nii.gz  {'0123456789abcdef' * 4}"] in page.rows
    assert page.text.count("0123456789abcdef" * 4) == 1
    assert page.text.count("SlicerStrokeInfarct 0.1.0") == 1


def test_doubts_do_not_repeat_the_warnings():
    study = make_study()
    study.prediction["doubts"] = ["Demonstration weights, trained on simulated patients, not for clinical use."]
    with_doubt = Page(render_report(study)).text.count("Demonstration weights")
    study.prediction["doubts"] = []
    assert with_doubt == Page(render_report(study)).text.count("Demonstration weights")
