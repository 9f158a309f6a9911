"""summary.json against pandas, scipy and statsmodels, computed from metrics.csv alone."""

import csv

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from support.evaluation_study import METHOD, column, prediction_of

from StrokePredictLib.io.images import read_image
from StrokeTrainLib.evaluation.results import Results
from StrokeTrainLib.evaluation.summary import compare, coverage, summarise

RULES = ["adc", "tmax-or-adc", "dwi", "dwi-or-penumbra", "rcbf"]


@pytest.fixture(scope="module")
def frame(study):
    return pd.read_csv(study.out / "metrics.csv")


@pytest.mark.parametrize("method", [METHOD, "adc"])
@pytest.mark.parametrize("key", ["auc", "dice", "volume_error_ml", "hausdorff_95_mm"])
def test_descriptions(study, frame, method, key):
    everybody = frame[frame.method == METHOD].set_index("patient").dice
    asked = everybody.index if method == METHOD else everybody.index[everybody.notna()]
    values = frame[(frame.method == method) & frame.patient.isin(asked)][key]
    assert len(values) == (12 if method == METHOD else 8)
    told = study.summary["methods"][method]["metrics"][key]
    assert told["n"] == values.count()
    assert told["missing"] == values.isna().sum()
    wanted = {"median": values.median(), "q1": values.quantile(0.25), "q3": values.quantile(0.75)}
    wanted |= {"mean": values.mean(), "sd": values.std(), "low": values.min(), "high": values.max()}
    for name, value in wanted.items():
        assert told[name] == pytest.approx(value, rel=1e-8), name
    assert told["mean_low"] <= told["mean"] <= told["mean_high"]
    assert told["median_low"] <= told["median"] <= told["median_high"]


def test_counts_of_scored_and_missing(study):
    assert (study.summary["methods"][METHOD]["scored"], study.summary["methods"][METHOD]["missing"]) == (8, 4)
    # The rule has scores of all 12; it is described in those whom the network was tested on.
    assert (study.summary["methods"]["adc"]["scored"], study.summary["methods"]["adc"]["missing"]) == (8, 0)
    assert (study.summary["patients"], study.summary["tested"]) == (12, 8)
    assert sum("described in the 8 of 12 patients" in note for note in study.summary["notes"]) == 1


def test_the_bootstrap_interval_of_a_mean_is_scipys(study):
    values = column(study, METHOD, "dice")
    values = values[np.isfinite(values)]
    told = study.summary["methods"][METHOD]["metrics"]["dice"]
    wanted = stats.bootstrap((values,), np.mean, n_resamples=9999, method="BCa", rng=np.random.default_rng(1))
    spread = wanted.confidence_interval.high - wanted.confidence_interval.low
    # 300 resamples here: ends of an interval are uncertain by about a tenth of its length.
    assert told["mean_low"] == pytest.approx(wanted.confidence_interval.low, abs=0.2 * spread)
    assert told["mean_high"] == pytest.approx(wanted.confidence_interval.high, abs=0.2 * spread)


def test_paired_tests_and_their_adjustment(study):
    rows = [row for row in study.summary["comparisons"] if row["metric"] == "absolute_volume_error_ml"]
    assert [row["second"] for row in rows] == RULES
    network = column(study, METHOD, "absolute_volume_error_ml")
    raw = []
    for row in rows:
        other = column(study, row["second"], "absolute_volume_error_ml")
        known = np.isfinite(network) & np.isfinite(other)
        difference = np.round(network[known] - other[known], 9)
        moved = difference[difference != 0]
        found = stats.wilcoxon(moved, method=stats.PermutationMethod(n_resamples=2 ** len(moved)))
        assert row["p"] == pytest.approx(found.pvalue, rel=1e-6)
        assert row["n"] == known.sum()
        assert row["dz"] == pytest.approx(difference.mean() / difference.std(ddof=1), rel=1e-5)
        walsh = [(a + b) / 2 for i, a in enumerate(difference) for b in difference[i:]]
        assert row["shift"] == pytest.approx(np.median(walsh), abs=1e-7)
        assert row["better"] == (METHOD if np.median(walsh) < 0 else row["second"])
        raw.append(found.pvalue)
    assert [row["p_holm"] for row in rows] == pytest.approx(multipletests(raw, method="holm")[1], rel=1e-6)
    assert [row["p_bonferroni"] for row in rows] == pytest.approx(multipletests(raw, method="bonferroni")[1], rel=1e-6)


def test_normality_of_values_and_of_differences_is_scipys(study):
    network, rule = column(study, METHOD, "dice"), column(study, "adc", "dice")
    known = np.isfinite(network)
    told = study.summary["methods"][METHOD]["metrics"]["dice"]["shapiro_p"]
    assert told == pytest.approx(stats.shapiro(network[known]).pvalue, rel=1e-6)
    row = next(r for r in study.summary["comparisons"] if (r["metric"], r["second"]) == ("dice", "adc"))
    assert row["shapiro_p"] == pytest.approx(stats.shapiro((network - rule)[known]).pvalue, rel=1e-5)
    head = (study.out / "tables" / "comparisons.csv").read_text().splitlines()[0]
    assert "Shapiro-Wilk" in head


def test_volumes(study):
    predicted, true = (column(study, METHOD, key) for key in ("predicted_ml", "true_ml"))
    known = np.isfinite(predicted) & np.isfinite(true)
    x, y = np.cbrt(predicted[known]), np.cbrt(true[known])
    lin = 2 * np.cov(x, y, ddof=0)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    told = study.summary["volumes"][METHOD]
    assert told["concordance"] == pytest.approx(lin, rel=1e-7)
    difference = predicted[known] - true[known]
    assert told["bias_ml"] == pytest.approx(difference.mean())
    assert told["limit_low_ml"] == pytest.approx(difference.mean() - 1.96 * difference.std(ddof=1))
    assert told["limit_high_ml"] == pytest.approx(difference.mean() + 1.96 * difference.std(ddof=1))


def test_calibration_is_that_of_all_voxels_at_once(study):
    """Bins are added patient by patient; here all voxels lie side by side."""
    probabilities, truths = [], []
    for patient in sorted({patient for patient, _ in study.numbers}):
        if not study.numbers[patient, METHOD]["dice"]:
            continue
        derived = study.cohort / "derivatives" / patient
        brain = read_image(derived / "ses-01" / f"{patient}_ses-01_brain-msk.nii.gz").array > 0.5
        truth = read_image(derived / "ses-02" / f"{patient}_ses-02_lesion-msk.nii.gz", may_be_empty=True).array > 0.5
        probabilities.append(read_image(prediction_of(study.run, patient) / f"prob_{METHOD}.nii.gz").array[brain])
        truths.append(truth[brain])
    p, y = np.concatenate(probabilities).astype(np.float64), np.concatenate(truths)
    told = study.summary["calibration"][METHOD]
    assert told["brier"] == pytest.approx(np.mean((p - y) ** 2), rel=1e-6)
    bins = pd.cut(p, np.linspace(0, 1, 11), right=False, include_lowest=True, labels=False)
    bins = np.where(p == 1, 9, bins).astype(int)
    grouped = pd.DataFrame({"bin": bins, "p": p, "y": y}).groupby("bin")
    for index, group in grouped:
        assert told["n"][index] == len(group)
        assert told["predicted"][index] == pytest.approx(group.p.mean(), rel=1e-6)
        assert told["observed"][index] == pytest.approx(group.y.mean(), rel=1e-9)


def test_subgroups(study, frame):
    yu = study.summary["subgroups"]["reperfusion_yu"]["levels"]
    tested = frame[(frame.method == METHOD) & frame.dice.notna()]
    counts = tested.reperfusion_yu.fillna("unknown").value_counts()
    assert {name: level["patients"] for name, level in yu.items()} == {"major": 0} | counts.to_dict()
    assert sum(level["patients"] for level in yu.values()) == 8
    for method in (METHOD, *RULES):
        rows = frame[(frame.method == method) & frame.patient.isin(tested.patient)]
        for level, part in yu.items():
            assert part["methods"][method]["dice"]["n"] == (rows.reperfusion_yu.fillna("unknown") == level).sum()
    # A subgroup of nobody is shown and empty, never a crash or a number.
    nobody = yu["major"]["methods"][METHOD]["dice"]
    assert nobody["n"] == 0
    assert nobody["median"] is None
    assert all(row["p"] is None for row in yu["major"]["comparisons"])
    values = frame[(frame.method == METHOD) & (frame.reperfusion_yu == "minimal")].dice
    assert yu["minimal"]["methods"][METHOD]["dice"]["median"] == pytest.approx(values.median())
    vendors = study.summary["subgroups"]["vendor"]["levels"]
    for vendor in "AB":
        values = frame[(frame.method == METHOD) & (frame.vendor == vendor)].auc
        assert vendors[vendor]["methods"][METHOD]["auc"]["mean"] == pytest.approx(values.mean())
    centres = study.summary["subgroups"]["center"]
    assert (centres["levels"], centres["note"]) == ({}, "Not known of any patient.")
    small = study.summary["subgroups"]["volume"]["levels"]["< 100 mL"]["patients"]
    assert small == (tested.true_ml < 100).sum()


def test_rules_stand_beside_the_network_in_the_same_patients_only(study, frame):
    tested = set(frame[(frame.method == METHOD) & frame.dice.notna()].patient)
    for method in (METHOD, *RULES):
        rows = frame[(frame.method == method) & frame.patient.isin(tested)]
        difference = rows.predicted_ml - rows.true_ml
        told = study.summary["volumes"][method]
        assert told["n"] == len(tested) == 8
        assert told["bias_ml"] == pytest.approx(difference.mean())
    with (study.out / "tables" / "subgroups-vendor.csv").open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    for vendor in "AB":
        wanted = str((frame[frame.patient.isin(tested) & (frame.method == "adc")].vendor == vendor).sum())
        assert {(line["Patients"], line["n"]) for line in lines if line["Vendor"] == vendor} == {(wanted, wanted)}
    with (study.out / "tables" / "overall-median.csv").open(newline="") as stream:
        assert [line["n"] for line in csv.DictReader(stream)] == ["8/12", *["8/8"] * len(RULES)]


def rows_of(values, method="net", **more):
    return {
        (f"p{i}", method): {"fold": None, "dice": value, "auc": value, "note": ""} | {k: v[i] for k, v in more.items()}
        for i, value in enumerate(values)
    }


def results_of(columns, **more):
    rows = {}
    for method, values in columns.items():
        rows |= rows_of(values, method, **more)
    patients = tuple(f"p{i}" for i in range(len(next(iter(columns.values())))))
    kinds = {method: "network" if method == "net" else "rule" for method in columns}
    return Results(patients, {m: m for m in columns}, kinds, rows, {p: {} for p in patients}, "final-infarct",
                   {"net": {}})  # fmt: skip


def test_one_patient_and_nobody_are_said():
    for values in ([0.5], [np.nan]):
        summary = summarise(results_of({"net": values, "adc": values}), [], resamples=50)
        told = summary["methods"]["net"]["metrics"]["dice"]
        assert told["n"] == int(np.isfinite(values[0]))
        assert told["note"]
        assert np.isnan(told["sd"])


def test_tied_ranks_are_tested_exactly_and_said():
    first, second = [0.5, 0.6, 0.7, 0.8, 0.9, 0.4], [0.4, 0.5, 0.6, 0.9, 0.7, 0.4]
    (row,) = compare(results_of({"net": first, "adc": second}), "net", ["adc"], ["dice"])
    difference = np.round(np.subtract(first, second), 9)
    wanted = stats.wilcoxon(difference[difference != 0], method=stats.PermutationMethod())
    assert row["p"] == pytest.approx(wanted.pvalue)
    assert "Tied ranks" in row["note"]
    assert "1 of 6 pairs do not differ" in row["note"]


def test_conformal_coverage_has_an_exact_binomial_interval():
    from StrokeTrainLib.evaluation.sources import Source

    predicted, true = [10.0, 20.0, 30.0, 40.0, 50.0], [10.5, 28.0, 29.0, 41.0, 80.0]
    results = results_of({"net": [0.5] * 5}, predicted_ml=predicted, true_ml=true)
    errors = [float(n) for n in range(1, 10)]  # the 9th of 9 for 90 %: ± 9 mL
    source = Source("net", "net", {}, calibration={"errors": errors, "scale": "ml"})
    told = coverage(results, source)
    assert (told["covered"], told["n"]) == (4, 5)
    # Clopper and Pearson by the beta distribution.
    assert told["low"] == pytest.approx(stats.beta.ppf(0.025, 4, 2))
    assert told["high"] == pytest.approx(stats.beta.ppf(0.975, 5, 1))
    assert told["median_width_ml"] == pytest.approx(18)
    few = coverage(results, Source("net", "net", {}, calibration={"errors": [1.0], "scale": "ml"}))
    assert few["n"] == 0
    assert "Too few" in few["note"]
