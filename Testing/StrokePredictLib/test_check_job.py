"""What `check` says of good and of doubtful patients."""

import nibabel
import numpy as np
import pytest

from StrokePredictLib.check_job import run
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import write_image
from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.patient import simulate_patient
from StrokePredictLib.preprocess.doubts import noise_sd
from StrokePredictLib.volume import Volume


@pytest.fixture(scope="module")
def patient():
    return simulate_patient(0, perfusion=False)


def write(folder, patient, names=("b0", "dwi", "adc"), change=None):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        volume = patient.volumes[name]
        write_image(folder / f"{name}.nii.gz", change(volume) if change else volume)
    return folder


def entry_of(folder):
    return run(folder)["patients"][0]


def test_a_good_patient_has_no_doubts(patient, tmp_path):
    entry = entry_of(write(tmp_path, patient))
    assert entry["doubts"] == []
    assert {image["role"] for image in entry["images"]} == {"b0", "dwi", "adc", "brain"}
    tasks = {task["name"]: task for task in entry["tasks"]}
    assert tasks["Core (ADC < 620)"]["ready"]
    assert tasks["Perfusion maps"]["missing"] == ["Perfusion MRI series or CT perfusion series"]


def test_a_slab_is_told(patient, tmp_path):
    def slab(volume):
        return Volume(volume.array[9:15], volume.affine)

    assert any("not all of it" in doubt for doubt in entry_of(write(tmp_path, patient, change=slab))["doubts"])


def test_noise_is_told(patient, tmp_path):
    rng = np.random.default_rng(0)

    def noisy(volume):
        return volume.with_array(np.abs(volume.array + rng.normal(0, 120, volume.shape)).astype(np.float32))

    folder = write(tmp_path, patient, ("b0", "dwi"), noisy)
    assert any("DWI: noisy" in doubt for doubt in entry_of(folder)["doubts"])


def test_the_noise_is_the_one_put_in():
    _, y, x = np.mgrid[:4, :80, :80]
    rng = np.random.default_rng(0)
    image = 500 + 3.0 * x + 0.02 * y**2 + rng.normal(0, 25, x.shape)
    assert noise_sd(image, np.ones(x.shape, bool)) == pytest.approx(25, rel=0.05)


def test_an_assumed_b_value_is_told(patient, tmp_path):
    folder = write(tmp_path, patient, ("b0", "dwi"))
    assert any("assumed" in doubt for doubt in entry_of(folder)["doubts"])


def test_coarse_pixels_and_thick_sections_are_told(tmp_path):
    coarse = simulate_patient(0, perfusion=False, grid=Grid(shape=(12, 48, 48), spacing=(4.8, 4.8, 12.0)))
    told = " ".join(entry_of(write(tmp_path, coarse))["doubts"])
    assert "12.0 mm thick" in told
    assert "4.8 mm wide" in told


def test_motion_and_times_of_a_series(tmp_path):
    """A head that jumps by 5 mm half-way; no sidecar."""
    _, y, x = np.mgrid[:8, :64, :64]
    brain = np.where(np.hypot(x - 32, y - 30) < 24, 500.0 + 60 * np.sin(x / 3) * np.cos(y / 4), 10.0)
    series = np.repeat(brain[None], 30, axis=0)
    series[10:16] *= 0.8
    series[18:] = np.roll(series[18:], 2, axis=3)
    series += np.random.default_rng(0).normal(0, 5, series.shape)
    image = nibabel.Nifti1Image(series.T.astype(np.float32), np.diag([-2.5, -2.5, 6, 1.0]))
    nibabel.save(image, tmp_path / "pwi.nii.gz")
    told = " ".join(entry_of(tmp_path)["doubts"])
    assert "the head moved by up to" in told
    assert "header" in told


def test_a_cohort_goes_on_after_a_broken_patient(patient, tmp_path):
    for sub in ("sub-0001", "sub-0002"):
        write(tmp_path / "raw_data" / sub / "ses-01", patient)
    (tmp_path / "raw_data" / "sub-0002" / "ses-01" / "dwi.nii.gz").write_bytes(b"no image")
    result = run(tmp_path, cohort=True, output=tmp_path / "out")
    assert [entry["error"] is None for entry in result["patients"]] == [True, False]
    assert "dwi.nii.gz" in result["patients"][1]["error"]
    sheet = tmp_path / "out" / "contact-sheet-1.png"
    assert result["files"] == [str(sheet)]
    assert sheet.read_bytes()[1:4] == b"PNG"


def test_folders_without_patients(tmp_path):
    with pytest.raises(StrokeError, match="no patients here"):
        run(tmp_path, cohort=True)
    with pytest.raises(StrokeError, match="no image found"):
        run(tmp_path)


def test_a_registered_image_gets_a_checkerboard_and_the_template_is_found(patient, tmp_path):
    write(tmp_path / "case", patient)
    flair = patient.volumes["flair"]
    shifted = flair.affine.copy()
    shifted[:3, 3] += [4.0, -3.0, 2.0]
    write_image(tmp_path / "case" / "flair.nii.gz", Volume(flair.array, shifted))
    result = run(tmp_path / "case", output=tmp_path / "out")
    assert any(path.endswith("checkerboard-flair.png") for path in result["files"])
    levels = result["patients"][0]["aspects"]
    assert levels["by"] == "registration with MNI152"
    assert levels["basal ganglia"] < levels["supraganglionic"]
    assert result["patients"][0]["follow_up"] is None


def test_the_follow_up_lesion_is_measured(patient, tmp_path):
    first, second = (tmp_path / "raw_data" / "sub-0001" / f"ses-{n}" for n in ("01", "02"))
    write(first, patient)
    second.mkdir()
    lesion = patient.truth["infarct"]
    write_image(second / "sub-0001_ses-02_lesion-msk.nii.gz", lesion.with_array(lesion.array > 0))
    follow_up = entry_of(tmp_path)["follow_up"]
    assert follow_up["lesion_ml"] == pytest.approx((lesion.array > 0).sum() * lesion.voxel_ml, abs=0.1)
