"""A classifier's figures against scikit-learn and DeLong's own formula, from records on disk."""

import json
from dataclasses import replace

import nibabel
import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score
from statsmodels.stats.proportion import proportion_confint
from support.small_cohort import AFFINE, SHAPE, write_cohort

from StrokePredictLib.io.images import read_image, write_image
from StrokeTrainLib.cohort.index import index_cohort
from StrokeTrainLib.evaluation.classification import classify_patients, summarise_classifier
from StrokeTrainLib.evaluation.plots import draw_classifier
from StrokeTrainLib.evaluation.sources import Place, Source

SHA = "ab" * 32


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Twelve patients, two folds with limits of their own, made-up probabilities."""
    base = tmp_path_factory.mktemp("classifier")
    write_cohort(base / "cohort", 12, roles=("dwi", "adc", "cbv"))
    patients = list(index_cohort(base / "cohort"))
    core = {}
    for patient in patients:
        cbv, brain = (read_image(patient.images[role]) for role in ("cbv", "brain"))
        # Half of all lesions are below the CBV limit after this.
        low = cbv.with_array(np.where(cbv.array < 2, cbv.array * 0.6, cbv.array))
        write_image(patient.images["cbv"], low)
        inside = (low.array > 0) & (low.array < 1.2 / 1.05) & (brain.array > 0.5)
        core[patient.id] = inside.sum() * cbv.voxel_ml
    rng = np.random.default_rng(4)
    limits = {1: float(np.median(list(core.values()))), 2: float(np.quantile(list(core.values()), 0.4))}
    places, probability = {}, {}
    for number, patient in enumerate(patients):
        fold = number % 2 + 1
        place = base / "predictions" / patient.id
        place.mkdir(parents=True)
        value = round(float(np.clip(0.25 + 0.4 * (core[patient.id] > limits[fold]) + rng.normal(0, 0.2), 0, 1)), 4)
        probability[patient.id] = value
        record = {"models": [], "classifications": [{"name": "net", "sha256": SHA, "probability": value}]}
        (place / "prediction.json").write_text(json.dumps(record))
        places[patient.id] = Place(str(place), "net", SHA, fold, limits[fold])
    source = Source("net", "Net", places, "classification", "acute-core", "cbv", 0.5)
    found = classify_patients(patients, source, base / "ledger", workers=1, cache=base / "cache")
    return base, patients, source, found, core, limits, probability


def test_truth_is_measured_anew_and_the_limit_is_the_folds(made):
    *_, found, core, limits, probability = made
    for row in found.rows:
        name = row["patient"]
        assert row["true_ml"] == pytest.approx(core[name])
        assert row["probability"] == probability[name]
        assert row["large"] == int(core[name] > limits[row["fold"]])
        assert row["called_large"] == int(probability[name] >= 0.5)
        assert row["note"] == ""


def delong_variance(y, p):
    """DeLong 1988, by its definition with sums over all pairs."""
    a, b = p[y == 1], p[y == 0]
    kernel = (a[:, None] > b) + 0.5 * (a[:, None] == b)
    return kernel.mean(axis=1).var(ddof=1) / len(a) + kernel.mean(axis=0).var(ddof=1) / len(b)


def test_figures_over_patients(made):
    *_, found, _, _, _ = made
    told = summarise_classifier(found)["overall"]
    y, p = found.labels.astype(int), found.probabilities
    area = roc_auc_score(y, p)
    assert told["auc"]["value"] == pytest.approx(area)
    half = 1.959964 * np.sqrt(delong_variance(y, p))
    assert told["auc"]["low"] == pytest.approx(max(area - half, 0), abs=1e-6)
    assert told["auc"]["high"] == pytest.approx(min(area + half, 1), abs=1e-6)
    assert told["brier"]["value"] == pytest.approx(brier_score_loss(y, p))
    called = p >= 0.5
    for name, right, total in (
        ("accuracy", (called == y).sum(), y.size),
        ("sensitivity", (called & (y == 1)).sum(), (y == 1).sum()),
        ("specificity", (~called & (y == 0)).sum(), (y == 0).sum()),
    ):
        low, high = proportion_confint(right, total, method="wilson")
        assert (told[name]["value"], told[name]["low"], told[name]["high"]) == pytest.approx((right / total, low, high))


def test_folds_one_by_one(made):
    *_, found, _, limits, _ = made
    summary = summarise_classifier(found)
    folds = np.array([row["fold"] for row in found.rows])
    areas = []
    for fold in (1, 2):
        areas.append(roc_auc_score(found.labels[folds == fold], found.probabilities[folds == fold]))
        told = summary["folds"][str(fold)]
        assert told["auc"]["value"] == pytest.approx(areas[-1])
        assert told["limit_ml"] == limits[fold]
    assert summary["auc_over_folds"] == {
        "mean": pytest.approx(np.mean(areas)), "sd": pytest.approx(np.std(areas, ddof=1)), "folds": 2,
    }  # fmt: skip
    assert summary["overall"]["limit_ml"] is None


def test_nobody_is_lost_without_a_word(made, tmp_path):
    base, patients, source, *_ = made
    names = sorted(source.places)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    record = {"classifications": [{"name": "net", "sha256": "0" * 64, "probability": 0.5}]}
    (foreign / "prediction.json").write_text(json.dumps(record))
    places = dict(source.places)
    places[names[0]] = Place(str(tmp_path / "nothing"), "net", SHA, 1, 10.0)
    places[names[1]] = Place(why="Refused: model 'net' was trained on this patient.")
    places[names[2]] = Place(str(foreign), "net", SHA, 1, 10.0)
    places[names[3]] = replace(places[names[3]], limit_ml=None)
    found = classify_patients(patients, replace(source, places=places), tmp_path / "l", workers=1, cache=base / "cache")
    notes = [row["note"] for row in found.rows]
    assert "No prediction" in notes[0]
    assert notes[1].startswith("Refused")
    assert "another model" in notes[2]
    assert "not known" in notes[3]
    summary = summarise_classifier(found)
    assert (summary["patients"], summary["scored"]) == (12, 8)
    assert len(summary["notes"]) == 4
    figures = draw_classifier(found, tmp_path)
    assert [figure.name for figure in figures] == ["roc", "calibration"]
    assert all((tmp_path / name).stat().st_size > 2000 for figure in figures for name in figure.files())


def with_series_alone(patient):
    """Give a patient a CT perfusion series, and take away every image but it, the CBV map and the brain."""
    series = np.zeros((*SHAPE, 12), np.float32)
    series[...] = 35.0 + 10.0 * np.exp(-(((np.arange(12) - 6.0) / 2.0) ** 2))
    image = nibabel.Nifti1Image(series, AFFINE)
    place = patient.images["dwi"].with_name(patient.images["dwi"].name.replace("dwi", "ctp"))
    for role in ("dwi", "adc"):
        patient.images[role].unlink()
    nibabel.save(image, place)
    blood = np.asarray(nibabel.load(patient.images["cbv"]).dataobj)
    nibabel.save(nibabel.Nifti1Image(np.where(blood < 2, blood * 0.6, blood), AFFINE), patient.images["cbv"])
    sidecar = place.with_name(place.name.replace(".nii.gz", ".json"))
    sidecar.write_text(json.dumps({"RepetitionTime": 2.0, "Modality": "CT"}))


@pytest.mark.parametrize("truth", ["cbv", "outline"])
def test_a_patient_with_ct_perfusion_alone_has_a_truth(tmp_path, truth):
    write_cohort(tmp_path / "cohort", 2, roles=("dwi", "adc", "cbv"))
    for patient in index_cohort(tmp_path / "cohort"):
        with_series_alone(patient)
    patients = list(index_cohort(tmp_path / "cohort"))
    assert all(set(patient.images) == {"ctp", "cbv", "brain"} for patient in patients)
    places = {patient.id: Place(why="Not asked here.", limit_ml=5.0) for patient in patients}
    source = Source("net", "Net", places, "classification", "acute-core", truth, 0.5)
    found = classify_patients(patients, source, tmp_path / "ledger", workers=1, cache=tmp_path / "cache")
    for patient, row in zip(patients, found.rows, strict=True):
        if truth == "cbv":
            cbv, brain = (np.asarray(nibabel.load(patient.images[role]).dataobj) for role in ("cbv", "brain"))
            expected = ((cbv > 0) & (cbv < 1.2 / 1.05) & (brain > 0)).sum()
        else:
            expected = (np.asarray(nibabel.load(patient.label("acute-core").path).dataobj) > 0).sum()
        assert expected > 0
        assert row["true_ml"] == pytest.approx(expected * 6.0 * 6.0 * 8.0 / 1000.0)
        assert row["note"] == "Not asked here."
