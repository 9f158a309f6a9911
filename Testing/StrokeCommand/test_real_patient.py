"""The command line on a real patient's b0 and DWI."""

import json
import subprocess
import sys

import nibabel
import numpy as np
import pytest


@pytest.fixture(scope="module")
def results(real_patient, stroke_environment, tmp_path_factory):
    folder = real_patient
    out = tmp_path_factory.mktemp("real")
    for command in ("threshold", "predict"):
        words = [sys.executable, "-m", "StrokeCommand", command, str(folder), "-o", str(out / command)]
        subprocess.run(words, env=stroke_environment, check=True, capture_output=True, timeout=300)
    return folder, out


def test_every_output_lies_on_the_input_grid(results):
    folder, out = results
    source = nibabel.load(folder / "dwi.nii.gz")
    names = list(out.rglob("*.nii.gz"))
    # Brain and core; probability and mask of core-dwi, and of fate for either course.
    assert len(names) == 8
    for path in names:
        image = nibabel.load(path)
        assert image.shape == source.shape
        assert np.abs(image.affine - source.affine).max() < 1e-6
        for code in ("qform_code", "sform_code"):
            assert int(image.header[code]) == int(source.header[code])


def test_core_is_the_rule_written_out(results):
    """Before cleaning the rule is 0 < ln(b0/DWI)/b < 620 inside the given mask; cleaning only takes away."""
    folder, out = results
    b0, dwi, mask = (nibabel.load(folder / f"{n}.nii.gz").get_fdata() for n in ("b0", "dwi", "brain_mask"))
    with np.errstate(all="ignore"):
        adc = np.log(b0 / dwi) * 1000
    rule = (b0 > 0) & (dwi > 0) & (adc > 0) & (adc < 620) & (mask > 0.5)
    core = nibabel.load(out / "threshold" / "core_adc.nii.gz").get_fdata() > 0
    assert core.sum() > 0
    edge = np.abs(adc - 620) < 0.01  # float32 against float64
    assert not (core & ~rule & ~edge).any()
    volumes = json.loads((out / "threshold" / "volumes.json").read_text())
    voxel = 0.9375 * 0.9375 * 5 / 1000
    assert volumes["volumes_ml"]["core_adc"] == pytest.approx(core.sum() * voxel, abs=0.01)
    removed = sum(step["removed_ml"] for step in volumes["cleaning"])
    assert removed == pytest.approx((rule.sum() - core.sum()) * voxel, abs=0.1)


def test_brain_volume_is_the_published_one(results):
    volumes = json.loads((results[1] / "threshold" / "volumes.json").read_text())
    assert volumes["volumes_ml"]["brain"] == pytest.approx(1570.8, abs=0.1)
    assert volumes["side"] == "left"


def test_threshold_rule_finds_a_part_of_what_a_reader_sees(results):
    """Published: lesion of 165.2 mL in the left middle cerebral artery's territory, no longer very dark on ADC."""
    folder, out = results
    lesion = nibabel.load(folder / "lesion_reference.nii.gz").get_fdata() > 0.5
    core = nibabel.load(out / "threshold" / "core_adc.nii.gz").get_fdata() > 0
    assert (core & lesion).sum() > 0.5 * core.sum()
    assert core.sum() < 0.5 * lesion.sum()


def test_prediction_is_a_probability_and_says_what_it_is(results):
    folder, out = results
    record = json.loads((out / "predict" / "prediction.json").read_text())
    assert "Demonstration weights" in " ".join(record["doubts"])
    assert not record["simulated"]
    probability = nibabel.load(out / "predict" / "prob_core-dwi.nii.gz").get_fdata()
    mask = nibabel.load(out / "predict" / "mask_core-dwi.nii.gz").get_fdata()
    brain = nibabel.load(folder / "brain_mask.nii.gz").get_fdata() > 0.5
    assert probability.min() >= 0
    assert probability.max() <= 1
    assert not probability[~brain].any()
    assert np.array_equal(mask > 0, probability.astype(np.float32) >= np.float32(0.5))


def test_analyse_leaves_demonstration_models_out_unless_asked(real_patient, tmp_path, stroke_environment):
    def analyse(out, *words):
        command = [sys.executable, "-m", "StrokeCommand", "analyse", str(real_patient), "-o", str(out), *words]
        subprocess.run(command, env=stroke_environment, check=True, capture_output=True, timeout=300)
        return (out / "report.html").read_text(encoding="utf-8")

    page = analyse(tmp_path / "plain")
    assert not (tmp_path / "plain" / "prediction").exists()
    assert "emonstration weights" not in page
    assert "haemorrhage is not excluded" in page
    assert "not assessable" in page  # the trials' criteria: onset, age and NIHSS are unknown
    page = analyse(tmp_path / "opted", "--demonstration")
    assert (tmp_path / "opted" / "prediction" / "mask_core-dwi.nii.gz").is_file()
    assert "emonstration weights" in page
    for name in ("scene.mrb", "summary.png", "report.json"):
        assert (tmp_path / "opted" / name).stat().st_size > 0
