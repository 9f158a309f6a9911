"""Every table filled from made-up scores: layout against the paper's, tests against scipy, directions, text."""

import csv
import io
import re
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from StrokeTrainLib.cohort.parts import Fold, Splits
from StrokeTrainLib.cohort.table import Patient
from StrokeTrainLib.evaluation.classification import Classified
from StrokeTrainLib.evaluation.results import NUMBERS, Results
from StrokeTrainLib.experiments import debs_responder, fate_conditioning, mittermeier_cv
from StrokeTrainLib.experiments.catalogue import experiment_of, names
from StrokeTrainLib.experiments.document import to_markdown
from StrokeTrainLib.experiments.drawing import write_drawings
from StrokeTrainLib.experiments.experiment import Report
from StrokeTrainLib.experiments.published import alis2020, debs2021, mittermeier2022, yu2020
from StrokeTrainLib.experiments.table import Table, mean_sd, median_iqr
from StrokeTrainLib.metrics.rules import RULES

TABLES = {
    "yu-table2": yu2020.TABLE2,
    "debs-table2": debs2021.TABLE2,
    "debs-table3": debs2021.TABLE3,
    "debs-ablation": debs2021.TABLE4,
    "debs-fusion": debs2021.TABLE_C6,
    "alis-vendors": alis2020.RESULTS,
}


def made_up(methods, rules=(), reader=False, n=40):
    """Return scores that fall from method to method, noise aside, with both of Debs' and all of Yu's groups."""
    rng = np.random.default_rng(7)
    patients = tuple(f"p{k:02d}" for k in range(n))
    titles = (
        dict(methods) | ({"reader": "Second reader"} if reader else {}) | {rule: RULES[rule].title for rule in rules}
    )
    kinds = dict.fromkeys(methods, "network") | {"reader": "reader"} | dict.fromkeys(rules, "rule")
    rows = {}
    for number, method in enumerate(titles):
        for patient in patients:
            row = dict.fromkeys(NUMBERS, 0.0) | {key: float(rng.uniform(0.3, 0.6)) - 0.1 * number for key in NUMBERS}
            rows[patient, method] = {"fold": 1, "note": ""} | row | {"true_ml": 50.0 + 3 * int(patient[1:])}
    words = ("minimal", "major", "partial", None)
    facts = {
        p: {"vendor": "AB"[k % 2], "center": None, "reperfusion_yu": words[k % 4],
            "reperfusion_debs": ("yes", "no")[k % 2]}
        for k, p in enumerate(patients)
    }  # fmt: skip
    return Results(patients, titles, kinds, rows, facts, "final-infarct", simulated=True)


class FakeFinished:
    """An experiment whose networks need not be trained."""

    def __init__(self, experiment, tmp_path, results=None):
        self.experiment, self._results = experiment, results
        self.arms = experiment.arms
        ids = [f"p{k:02d}" for k in range(40)]
        patients = {
            name: Patient(name, tmp_path, "bids", {}, facts={"vendor": "AB"[k % 2]}) for k, name in enumerate(ids)
        }
        self.ground = SimpleNamespace(
            patients=patients,
            notes=["A note."],
            left_out=["p99: DWI missing"],
            facts={"simulated": True, "device": "cpu"},
        )
        self.setting = SimpleNamespace(seed=0, quick=True, external=None, data=tmp_path, output=tmp_path)
        fold = {v: tuple(name for name, p in patients.items() if p.vendor == v) for v in "AB"}
        self.splits = {arm.name: Splits("80-10-10", 0, (Fold((), (), tuple(ids)),)) for arm in experiment.arms}
        if experiment.name == "alis-vendors":
            self.splits |= {f"{v}-tuned": Splits("80-10-10", 0, (Fold((), (), fold[w]),)) for v, w in ("AB", "BA")}

    def source(self, arm, patients=None):
        return SimpleNamespace(name=arm)

    def results(self, sources, rules=(), *, reader=False, patients=None, name="scores"):
        return made_up({source.name: source.name for source in sources}, rules, reader)


def report_of(name, tmp_path):
    experiment = experiment_of(name)
    finished = FakeFinished(experiment, tmp_path)
    return finished, experiment.report(finished)


@pytest.mark.parametrize("name", TABLES)
def test_the_table_has_the_papers_columns_and_rows_with_ours_beneath(name, tmp_path):
    published = TABLES[name]
    _, report = report_of(name, tmp_path)
    table = report.tables[0]
    assert table.columns == published.columns
    theirs = [(line.group, line.label, line.cells) for line in table.lines if line.source == "paper"]
    expected = [(row.group, row.label, tuple(c.replace("0. ", "0.") for c in row.cells)) for row in published.rows]
    assert [line for line in theirs if line[0] != "All"] == expected
    ours = [line for line in table.lines if line.source == "ours"]
    assert len(ours) == len(theirs)
    assert all("–" not in cell for line in ours for cell in line.cells if line.label != "P value")
    for row in published.rows:  # a contradiction is never silently passed on
        line = next(x for x in table.lines if (x.group, x.label, x.source) == (row.group, row.label, "paper"))
        assert set(row.notes) <= set(line.notes)
    assert report.directions
    assert all(d["published"] and d["verdict"] for d in report.directions)


@pytest.mark.parametrize("name", TABLES)
def test_figures_show_the_very_values_of_the_table(name, tmp_path, monkeypatch):
    drawn = {}
    monkeypatch.setattr(
        "StrokeTrainLib.figures.groups.draw_groups",
        lambda stem, values, labels, **more: drawn.update({stem.name: (values, list(labels), more["levels"])}),
    )
    monkeypatch.setattr("StrokeTrainLib.figures.volumes.draw_volume_correlation", lambda stem, pairs, **more: None)
    finished, report = report_of(name, tmp_path)
    write_drawings(report.drawings, tmp_path, simulated=True)
    values, labels, levels = drawn["dice"]
    table = report.tables[0]
    place = table.columns.index(next(c for c in table.columns if c.startswith(("DSC", "Dice"))))
    medians = {line.cells[place].split(" ")[0] for line in table.lines if line.source == "ours"}
    centre = np.mean if name.startswith("debs") else np.median
    digits = 3 if name == "alis-vendors" else 2
    for level in levels:
        for column in values.values():
            mine = [v for v, label in zip(column, labels, strict=True) if label == level]
            if np.isfinite(mine).any():
                found = f"{centre(mine):.{digits}f}".replace("-", "−")
                if not (name == "alis-vendors" and column is list(values.values())[1]):
                    assert found in medians
    page = to_markdown(finished, report, {"command": "c", "simulated": True, "how": []})
    assert "![dice](figures/dice.png)" in page


def test_figures_are_written_as_print_and_screen(tmp_path):
    _, report = report_of("debs-table2", tmp_path)
    paths = write_drawings(report.drawings, tmp_path, simulated=True)
    assert [path.name for path in paths] == ["dice.pdf", "dice.png"]
    assert paths[0].read_bytes().startswith(b"%PDF")
    assert paths[1].read_bytes().startswith(b"\x89PNG")


def test_files_say_the_same_and_carry_the_footnotes(tmp_path):
    finished, report = report_of("debs-table3", tmp_path)
    text = report.tables[0].csv()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0])[:5] == ["table", "group", "row", "source", "n"]
    swapped = next(r for r in rows if r["Recall"] == "0.17 ± 0.13")
    assert "look swapped" in swapped["footnotes"]
    report.adjust_all()
    facts = {"command": "stroke experiment debs-table3", "simulated": True, "how": ["Folds."]}
    page = to_markdown(finished, report, facts)
    assert page.startswith("# Debs 2021, Table 3")
    for words in ("**Simulated patients.**", "**Quick preset.**", "stroke experiment debs-table3", "## Directions",
                  "## Tests", "## Left out", "p99: DWI missing", "look swapped", "Debs N, Cho TH"):  # fmt: skip
        assert words in page
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    heads = [line.count("|") for line in page.splitlines() if line.startswith("|---")]
    assert {line.count("|") for line in lines} <= set(heads)


def test_p_values_are_scipys_and_holms(tmp_path):
    _, report = report_of("debs-table2", tmp_path)
    report.adjust_all()
    results = made_up({"general": "", "reperfused": "", "not-reperfused": ""})
    kept = [k for k, p in enumerate(results.patients) if results.facts[p]["reperfusion_debs"] == "yes"]
    a, b = (np.round(results.column(m, "dice")[kept], 9) for m in ("general", "reperfused"))
    row = next(r for r in report.comparisons if (r["group"], r["metric"], r["second"])
               == ("Reperfused patients", "dice", "reperfused"))  # fmt: skip
    assert row["p"] == pytest.approx(stats.wilcoxon(a, b, method="exact").pvalue)
    family = sorted(r["p"] for r in report.comparisons if (r["group"], r["metric"]) == ("Reperfused patients", "dice"))
    assert len(family) == 3
    holm, highest = [], 0.0
    for k, p in enumerate(family):
        highest = max(highest, min(1.0, (3 - k) * p))
        holm.append(highest)
    found = sorted(r["p_holm"] for r in report.comparisons
                   if (r["group"], r["metric"]) == ("Reperfused patients", "dice"))  # fmt: skip
    assert found == pytest.approx(holm)


def test_alis_has_the_papers_test_and_the_paired_one_and_a_margin(tmp_path):
    _, report = report_of("alis-vendors", tmp_path)
    tests = [r["test"] for r in report.comparisons if r["first"] == "A → A" and r["second"] == "Second reader"]
    assert [name.split()[0] for name in tests] == ["Mann-Whitney", "Wilcoxon"]
    assert any(re.search(r"margin 0\.05: (non-inferior|not shown)", note) for note in report.notes)
    results = made_up({"A": "", "B": "", "A-tuned": "", "B-tuned": ""}, reader=True)
    own = [k for k, p in enumerate(results.patients) if results.facts[p]["vendor"] == "A"]
    dice, reader = results.column("A", "dice")[own], results.column("reader", "dice")[own]
    row = next(r for r in report.comparisons if r["first"] == "A → A" and r["test"].startswith("Mann"))
    assert row["p"] == pytest.approx(stats.mannwhitneyu(dice, reader, method="exact").pvalue)
    ours = [line for line in report.tables[0].lines if line.source == "ours"]
    assert all("margin" in line.notes for line in ours)
    told = report.tables[0].footnotes["margin"]
    assert "0.05 Dice, set in the code before any result. The paper states none." in told
    other = next(r for r in report.comparisons if r["first"] == "A → A" and r["second"] == "A → B")
    assert other["test"].startswith("Mann")  # other patients: there are no pairs


@pytest.mark.parametrize(("dice", "judged"), [({"A": 0.62, "B": 0.1}, True), ({"A": 0.62, "B": 0.004}, False)])
def test_a_network_that_learnt_nothing_agrees_with_no_claim(dice, judged):
    report = Report(directions=[{"claim": "lower than the reader", "verdict": "found"}])
    report.require_learnt(dice)
    assert (report.directions[0]["verdict"] == "found") == judged
    if not judged:
        assert report.directions[0]["verdict"] == "not assessable: not learnt by B (median Dice 0.004)"
        assert "no claim is judged" in report.notes[0]


def is_fact(name, value):
    return lambda results, patient: results.facts[patient][name] == value


#: A network of every experiment that draws maps, and in whom it is at home.
AT_HOME = {
    "yu-table2": ("model", lambda results, patient: True),
    "debs-table2": ("reperfused", is_fact("reperfusion_debs", "yes")),
    "debs-table3": ("not-reperfused", is_fact("reperfusion_debs", "no")),
    "debs-ablation": ("reperfused-tmax", is_fact("reperfusion_debs", "yes")),
    "debs-fusion": ("late-not-reperfused", is_fact("reperfusion_debs", "no")),
    "debs-responder": ("reperfused", is_fact("reperfusion_debs", "yes")),
    "alis-vendors": ("B", is_fact("vendor", "B")),
    "fate-conditioning": ("only-none", lambda results, patient: int(patient[1:]) % 2 == 0),
}


def test_only_the_classifier_draws_no_maps():
    assert set(names()) - set(AT_HOME) == {"mittermeier-cv"}


@pytest.mark.parametrize("failed_at_home", [True, False])
@pytest.mark.parametrize("name", AT_HOME)
def test_no_claim_is_judged_where_a_network_learnt_nothing_of_its_own_patients(
    name, failed_at_home, tmp_path, monkeypatch
):
    arm, at_home = AT_HOME[name]

    def results(self, sources, rules=(), *, reader=False, patients=None, name="scores"):
        found = made_up({source.name: source.name for source in sources}, rules, reader)
        rng = np.random.default_rng(5)
        for (patient, method), row in found.rows.items():
            nothing = method == arm and at_home(found, patient) == failed_at_home
            row["dice"] = 0.0 if nothing else float(rng.uniform(0.5, 0.6))
        return found

    monkeypatch.setattr(FakeFinished, "results", results)
    volumes = {f"p{k:02d}": {"dice": 0.5, "reperfused_ml": 10.0 + k, "not_reperfused_ml": 30.0 - k, "responder": True,
                             "note": ""} for k in range(8)}  # fmt: skip
    monkeypatch.setattr(debs_responder, "_compared", lambda finished, sources: volumes)
    monkeypatch.setattr(fate_conditioning, "_counterfactual", lambda made, finished, sources: None)
    courses = {f"p{k:02d}": ("none", "partial", "none", "complete")[k % 4] for k in range(40)}
    monkeypatch.setattr(fate_conditioning, "_courses", lambda ground: courses)
    _, report = report_of(name, tmp_path)
    refused = [d["verdict"].startswith("not assessable: not learnt by ") for d in report.directions]
    assert refused == [failed_at_home] * len(refused)
    assert len(refused) > 0
    if failed_at_home:
        assert all(f"{arm} (median Dice 0.000)" in d["verdict"] for d in report.directions)
    told = "Below a median Dice of 0.1 in its own kind of patients a network counts as not trained"
    assert any(note.startswith(told) for note in report.notes) == failed_at_home


@pytest.mark.parametrize("name", ["yu-table2", "debs-table3"])
def test_which_masks_of_rules_were_taken_is_said(name, tmp_path):
    _, report = report_of(name, tmp_path)
    assert any(note.startswith("The rules' masks are the plain cuts") for note in report.notes)


def test_the_classifier_fills_both_tables(tmp_path, monkeypatch):
    large = np.random.default_rng(3).integers(0, 2, 40)

    def classified(finished, arm):
        rng = np.random.default_rng([3, len(arm)])
        noise = {"both": 0.3, "global": 1.0, "local": 1.0}[arm]
        values = 1 / (1 + np.exp(-(large - 0.5) * 2 - noise * rng.normal(size=40)))
        rows = tuple(
            {"patient": f"p{k:02d}", "method": arm, "fold": 1 + k % 4, "probability": float(values[k]), "true_ml": 30.0,
             "limit_ml": 30.0 + k % 4, "large": int(large[k]), "called_large": int(values[k] > 0.5), "note": ""}
            for k in range(40)
        )  # fmt: skip
        return Classified(SimpleNamespace(target="acute-core", name=arm, title=arm, threshold=0.5), rows, True)

    monkeypatch.setattr(mittermeier_cv, "_classified", classified)
    monkeypatch.setattr(mittermeier_cv, "_validation", lambda finished: "0.80 (0.10) [4 folds]")
    _, report = report_of("mittermeier-cv", tmp_path)
    first, second = report.tables
    assert (first.columns, second.columns) == (mittermeier2022.TABLE1.columns, mittermeier2022.TABLE2.columns)
    assert first.lines[0].cells == ("0.75 (0.11)", "0.72 (0.10)", "0.61")
    assert first.lines[1].cells[2] == "–"
    assert "No external cohort" in " ".join(report.notes)
    by_fold, both = [], classified(None, "both").rows
    for fold in range(1, 5):
        ones = [r["probability"] for r in both if r["fold"] == fold and r["large"]]
        zeros = [r["probability"] for r in both if r["fold"] == fold and not r["large"]]
        by_fold.append(np.mean([a > b for a in ones for b in zeros]))
    assert second.lines[1].cells[0].startswith(f"{np.mean(by_fold):.2f} ({np.std(by_fold, ddof=1):.2f})")
    assert len(report.directions) == 2
    # Never ranked over folds: what is large and how probabilities are scaled differs between them.
    for row, arm in zip(report.comparisons, ("global", "local"), strict=True):
        other = {r["patient"]: r["probability"] for r in classified(None, arm).rows}
        difference = []
        for fold in range(1, 5):
            mine = [r for r in both if r["fold"] == fold]
            areas = [roc_auc_score([r["large"] for r in mine], scores) for scores in (
                [r["probability"] for r in mine], [other[r["patient"]] for r in mine])]  # fmt: skip
            difference.append(areas[0] - areas[1])
        assert row["shift"] == pytest.approx(np.mean(difference))
        assert row["shift_low"] <= row["shift"] <= row["shift_high"]
        assert "within folds" in row["test"]
        told = next(note for note in report.notes if f"{mittermeier_cv._TITLES[arm][1:]}, AUC fold by fold" in note)
        assert all(f"fold {fold} " in told for fold in range(1, 5))
    assert report.notes[0].startswith("Quick preset: the image features are those of VGG19's layout with 8 filters")


def test_columns_in_words():
    values = [0.1, 0.2, 0.3, 0.4, 0.5, float("nan")]
    assert median_iqr(values) == "0.30 (0.20 to 0.40) [n = 5]"
    assert mean_sd([1.0, 3.0], 1) == "2.0 ± 1.4"
    assert mean_sd([float("nan")]) == "–"
    assert median_iqr([-3.0, -1.0, -2.0], 0) == "−2 (−2 to −2)"


def test_a_line_of_another_width_or_with_an_unknown_footnote_is_refused():
    table = Table("T", ("a", "b"), [], {"x": "X."})
    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        table.add("g", "l", "ours", 3, ["1"])
    with pytest.raises(ValueError, match="no footnote 'y'"):
        table.add("g", "l", "ours", 3, ["1", "2"], "y")


def test_every_experiment_says_what_it_needs():
    for name in names():
        experiment = experiment_of(name)
        assert experiment.name == name
        assert experiment.needs
        assert len({arm.name for arm in experiment.arms}) == len(experiment.arms)
