"""The cells of metrics.csv against other libraries, computed from the files."""

import csv

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score
from support.evaluation_study import ABSENT, CORRECTED, EMPTY, GOOD, METHOD, OTHER_GRID, OTHER_MODEL, prediction_of

from StrokePredictLib.io.images import read_image
from StrokeTrainLib.metrics.patient import COLUMNS


def files(study, patient):
    place = prediction_of(study.run, patient)
    derived = study.cohort / "derivatives" / patient
    found = {
        "truth": derived / "ses-02" / f"{patient}_ses-02_lesion-msk.nii.gz",
        "mask": place / f"mask_{METHOD}.nii.gz",
        "prob": place / f"prob_{METHOD}.nii.gz",
        "brain": derived / "ses-01" / f"{patient}_ses-01_brain-msk.nii.gz",
        "adc": study.cohort / "raw_data" / patient / "ses-01" / f"{patient}_ses-01_adc.nii.gz",
        "tmax": derived / "ses-01" / "perfusion-maps" / f"{patient}_ses-01_tmax.nii.gz",
    }
    images = {name: read_image(path, may_be_empty=True) for name, path in found.items()}
    arrays = {name: image.array for name, image in images.items()}
    return arrays | {name: arrays[name] > 0.5 for name in ("truth", "mask", "brain")}, images["truth"]


def expected(truth, mask, score, brain, grid):
    ml = float(np.prod(grid.spacing)) / 1000
    points = [np.argwhere(each) * grid.spacing[::-1] for each in (truth, mask)]
    farthest = max(cKDTree(points[0]).query(points[1])[0].max(), cKDTree(points[1]).query(points[0])[0].max())
    sensitivity = recall_score(truth[brain], mask[brain])
    specificity = recall_score(~truth[brain], ~mask[brain])
    lesions = [ndimage.label(each, np.ones((3, 3, 3)))[1] for each in (truth, mask)]
    return {
        "auc": roc_auc_score(truth[brain], score[brain]),
        "binary_auc": (sensitivity + specificity) / 2,
        "dice": f1_score(truth.ravel(), mask.ravel()),
        "ppv": precision_score(truth.ravel(), mask.ravel()),
        "recall": recall_score(truth.ravel(), mask.ravel()),
        "specificity": specificity,
        "volumetric_similarity": 1 - abs(mask.sum() - truth.sum()) / (mask.sum() + truth.sum()),
        "hausdorff_mm": farthest,
        "true_ml": truth.sum() * ml,
        "predicted_ml": mask.sum() * ml,
        "volume_error_ml": (int(mask.sum()) - int(truth.sum())) * ml,
        "absolute_volume_error_ml": abs(int(mask.sum()) - int(truth.sum())) * ml,
        "true_lesions": lesions[0],
        "predicted_lesions": lesions[1],
        "lesion_count_difference": lesions[1] - lesions[0],
    }


@pytest.mark.parametrize("patient", GOOD)
def test_the_networks_row_is_that_of_other_libraries(study, patient):
    found, grid = files(study, patient)
    row = study.numbers[patient, METHOD]
    for key, value in expected(found["truth"], found["mask"], found["prob"], found["brain"], grid).items():
        assert float(row[key]) == pytest.approx(value, rel=1e-5, abs=1e-7), key
    outside = (found["mask"] | found["truth"]) & ~found["brain"]
    assert ("outside the brain mask" in row["note"]) == outside.any()
    fold = study.result["summary"]["source"]["folds"]
    assert int(row["fold"]) in range(1, fold + 1)
    assert prediction_of(study.run, patient).parents[1].name == f"fold-{row['fold']}"


def test_rules_stand_beside_it_on_the_same_truth(study):
    for patient in GOOD:
        found, _ = files(study, patient)
        core = (found["adc"] > 0) & (found["adc"] < 620) & found["brain"]
        union = core | ((found["tmax"] > 6) & found["brain"])
        for rule, mask in (("adc", core), ("tmax-or-adc", union)):
            row = study.numbers[patient, rule]
            assert float(row["dice"]) == pytest.approx(f1_score(found["truth"].ravel(), mask.ravel()))
            assert row["true_ml"] == study.numbers[patient, METHOD]["true_ml"]
            assert row["fold"] == ""


def test_a_row_for_every_patient_and_method(study):
    methods = [METHOD, "adc", "tmax-or-adc", "dwi", "dwi-or-penumbra", "rcbf"]
    assert [(row["patient"], row["method"]) for row in study.rows] == [
        (f"sub-{n:04d}", method) for n in range(1, 13) for method in methods
    ]
    head = list(study.rows[0])
    assert head[:3] == ["patient", "method", "fold"]
    assert head[-1] == "note"
    assert set(COLUMNS) <= set(head)


def test_who_cannot_be_scored_has_a_row_that_says_why(study):
    said = {
        ABSENT: "is not there",
        OTHER_GRID: "does not match",
        CORRECTED: "began as a prediction of model",
        OTHER_MODEL: "made by another model",
    }
    for patient, words in said.items():
        row = study.numbers[patient, METHOD]
        assert words in row["note"], patient
        assert row["dice"] == row["auc"] == row["predicted_ml"] == ""
        # The rules do not suffer from the network's fault.
        assert float(study.numbers[patient, "adc"]["dice"]) > 0


def test_an_empty_truth_is_a_zero_and_no_distance(study):
    row = study.numbers[EMPTY, METHOD]
    assert float(row["true_ml"]) == 0
    assert float(row["dice"]) == (0 if float(row["predicted_ml"]) else 1)
    assert row["hausdorff_mm"] == row["auc"] == ""
    assert "empty" in row["note"]


def test_tables_can_be_read_by_anybody(study):
    tables = sorted(path.name for path in (study.out / "tables").glob("*.csv"))
    assert {"overall-median.csv", "overall-mean.csv", "comparisons.csv", "volumes.csv"} <= set(tables)
    for name in tables:
        with (study.out / "tables" / name).open(newline="") as stream:
            rows = list(csv.reader(stream))
        assert len(rows) > 1
        assert {len(row) for row in rows} == {len(rows[0])}, name
