"""The published numbers against the papers' own text, where it lies beside the checkout."""

import re
from importlib import import_module
from pathlib import Path

import pytest

PAPERS = Path(__file__).parents[4] / "shared" / "papers"
NAMES = ("yu2020", "debs2021", "alis2020", "mittermeier2022")


def squeezed(text):
    """Return text with one kind of dash and one blank between words: line breaks are the typesetter's."""
    return re.sub(r"\s+", " ", re.sub("[–−—‐]", "-", text))


@pytest.fixture(scope="module", params=NAMES)
def paper(request):
    path = PAPERS / f"{request.param}.txt"
    if not path.is_file():
        pytest.skip("the papers' texts are not beside this checkout")
    return import_module(f"StrokeTrainLib.experiments.published.{request.param}"), squeezed(path.read_text("utf-8"))


def test_every_cell_stands_in_its_paper_in_its_row(paper):
    published, text = paper
    absent = [
        (table.place, row.key)
        for table in published.TABLES
        if table not in getattr(published, "FROM_TEXT", ())
        for row in table.rows
        if squeezed(row.printed) not in text
    ]
    assert not absent


def test_numbers_of_the_running_text_and_contradictions_are_quoted_as_printed(paper):
    published, text = paper
    quotes = [quote.text for table in published.TABLES for quote in table.quotes.values()]
    quotes += [quote for table in published.TABLES for note in table.footnotes.values() for quote in note.quotes]
    assert [quote for quote in quotes if squeezed(quote) not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_tables_are_whole(name):
    published = import_module(f"StrokeTrainLib.experiments.published.{name}")
    for table in published.TABLES:
        assert len({row.key for row in table.rows}) == len(table.rows)
        for row in table.rows:
            assert len(row.cells) == len(table.columns)
            assert set(row.notes) <= table.footnotes.keys()


def test_alis_medians_are_those_of_the_quotes():
    from StrokeTrainLib.experiments.published.alis2020 import RESULTS

    radiologist = RESULTS.quotes["radiologist"].text
    for row in RESULTS.rows:
        median, reader, p = row.cells[0].split()[0], row.cells[1].split()[0], row.cells[2]
        assert f"{median} (IQR" in RESULTS.quotes[row.key].text
        assert f"{reader} (IQR" in radiologist
        if not p.startswith("<"):
            told = [quote.text for quote in RESULTS.quotes.values()] + [
                quote for note in RESULTS.footnotes.values() for quote in note.quotes
            ]
            pairs = (f"({median} vs. {reader}", f"({reader} vs. {median}")
            assert any(pair in text for pair in pairs for text in told if p in text)


def test_responders_are_those_of_the_quotes():
    from StrokeTrainLib.experiments.published.debs2021 import RESPONDERS

    less, more, p, count = RESPONDERS.rows[0].cells
    told = RESPONDERS.quotes["volumes"].text
    assert f"{more} vs {less}" in told
    assert f"p = {p}" in told
    assert f"in {count} patients" in RESPONDERS.footnotes["denominator"].quotes


@pytest.mark.parametrize(
    ("name", "table", "key", "words"),
    [
        ("debs2021", "TABLE3", "reperfused-cnn", "repeat|Table 2c's General row"),
        ("debs2021", "TABLE4", "reperfused-all", "Table 2c's General row"),
        ("debs2021", "TABLE3", "not-reperfused-mismatch", "look swapped"),
        ("debs2021", "TABLE2", "reperfused-p-reperfused-not-reperfused", "never the general model in Dice"),
        ("alis2020", "RESULTS", "A-A", "0.858 and as 0.866"),
        ("alis2020", "RESULTS", "A-B-tuned", "0.832 and as 0.818"),
        ("yu2020", "TABLE2", "major-p", r"major reperfusion only; in minimal reperfusion P = .37"),
    ],
)
def test_contradictions_have_their_footnote(name, table, key, words):
    found = getattr(import_module(f"StrokeTrainLib.experiments.published.{name}"), table)
    assert re.search(words, " ".join(found.footnotes[note].text for note in found.row(key).notes))
