"""The report: whole in itself, with the numbers of the summary and the words that must stand there."""

import html
import re

from support.evaluation_study import METHOD

from StrokePredictLib import __version__
from StrokeTrainLib.cohort.flow import Flow
from StrokeTrainLib.evaluation.report import _tight, render
from StrokeTrainLib.evaluation.tables import Table


def page_of(study):
    return html.unescape((study.out / "report.html").read_text())


def test_it_needs_nothing_else(study):
    raw = (study.out / "report.html").read_text()
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", raw)
    assert "<script" not in raw
    figures = len(re.findall("<figure>", raw))
    assert figures == raw.count("data:image/png;base64,") >= 6
    assert len(raw) < 6e6


def test_what_must_be_said_is_said(study):
    page = page_of(study)
    assert "Simulated patients: no person was imaged" in page
    assert "Not for clinical use" in page
    assert "Demonstration weights" in page
    for words in ("487,643 parameters", "seed 5", "2 folds", "out-of-fold", "Wilcoxon", "Holm", __version__):
        assert words in page, words
    for note in study.summary["notes"]:
        assert note in page


def test_flow_and_files_agree_with_the_rows(study):
    flow = study.summary["flow"]
    left = {box["reason"]: box["patients"] for box in flow["excluded"] if box["patients"]}
    assert (flow["assessed"], flow["included"]) == (12, 8)
    assert left == {"Seen by the model, or outline begun as its prediction": 1, "No usable prediction or truth": 3}
    assert sum(flow["groups"].values()) == flow["included"]
    for name in study.result["files"]:
        assert (study.base / name).is_file(), name
    names = {path.stem for path in (study.out / "figures").iterdir()}
    assert {"bland-altman", "volume-correlation", f"calibration-{METHOD}", f"cases-{METHOD}"} <= names
    for name in names:
        for suffix, start in ((".pdf", b"%PDF"), (".png", b"\x89PNG")):
            assert (study.out / "figures" / (name + suffix)).read_bytes().startswith(start)


def test_the_headline_is_the_summarys(study):
    dice = study.summary["methods"][METHOD]["metrics"]["dice"]
    assert f"{dice['median']:.2f} ({dice['median_low']:.2f} to {dice['median_high']:.2f})" in page_of(study)


def widest_words(table, size):
    """Return the least width (px) of every column: its longest piece without a space to break at."""
    from matplotlib import font_manager
    from PIL import ImageFont

    places = {weight: font_manager.findfont(f"DejaVu Sans:{weight}") for weight in ("bold", "normal")}
    fonts = {weight: ImageFont.truetype(path, 10 * size) for weight, path in places.items()}
    rows = [re.findall(r"<t([hd])>(.*?)</t[hd]>", row) for row in re.findall(r"<tr.*?</tr>", table, re.S)]
    widths = [
        [max((fonts["bold" if kind == "h" else "normal"].getlength(w) / 10 for w in cell.split(" ")), default=0)
         for kind, cell in row]
        for row in rows
    ]  # fmt: skip
    return [max(column) for column in zip(*widths, strict=True)]


def test_no_table_is_cut_on_a_screen_of_1200_pixels(study):
    page = page_of(study)
    tables = re.findall(r'<div class="wide"><table( class="many")?>(.*?)</table>', page, re.S)
    assert len(tables) >= 5
    room = 1200 - 2 * 32 - 16  # the page's margins, and a scroll bar
    for many, table in tables:
        size, gap = (11, 7) if many else (12, 10)
        columns = widest_words(table, size)
        width = max(columns[0], 120) + sum(columns[1:]) + gap * (len(columns) - 1)
        assert width < room, re.findall("<th>(.*?)</th>", table)
    assert ".many, .many th { font-size: 11px; }" in page
    assert ".many th, .many td { padding-right: 7px; }" in page


def test_words_from_files_are_escaped(tmp_path):
    nasty = "<script>alert(1)</script>"
    provenance = {"software": nasty, "python": "3", "packages": {}, "parameters": {"a": nasty}}
    page = render(
        title=nasty, subtitle=nasty, facts=[(nasty, nasty)], methods=[nasty], flow=Flow(1, ((nasty, 1),)),
        tables=[Table("t", nasty, [nasty], [[nasty]], nasty)], figures=[], folder=tmp_path, notes=[nasty],
        simulated=False, demonstration=False, provenance=provenance,
    )  # fmt: skip
    assert "<script" not in page
    assert "Simulated" not in page


def test_cells_break_before_a_bracket_only():
    assert _tight("0.53 (0.52 to 0.57)") == "0.53 (0.52\u00a0to\u00a00.57)"
    assert _tight("ADC < 620 × 10⁻⁶ mm²/s") == "ADC < 620 × 10⁻⁶ mm²/s"


def test_repeated_cells_are_written_once():
    table = Table("t", "t", ["a", "b", "c"], [["x", "1", "p"], ["x", "1", "q"], ["x", "2", "r"], ["y", "2", "s"]],
                  grouped=2)  # fmt: skip
    assert table.lines() == [
        (False, ["x", "1", "p"]), (False, ["", "", "q"]), (False, ["", "2", "r"]), (True, ["y", "2", "s"]),
    ]  # fmt: skip
