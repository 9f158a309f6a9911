"""The cohort's folder, file by file."""

import csv
import hashlib
import json
import multiprocessing

import nibabel
import numpy as np
import pytest

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import read_image
from StrokePredictLib.phantom.cohort import write_cohort
from StrokePredictLib.phantom.frozen_record import FINGERPRINT
from StrokePredictLib.phantom.job import run
from StrokePredictLib.phantom.patient import simulate_patient
from StrokePredictLib.phantom.tissue import draw_person

# DESIGN.md, "Folder of a cohort"
COLUMNS = [
    "participant_id", "age", "sex", "nihss", "onset_to_imaging_min", "onset_known", "imaging_to_reperfusion_min",
    "mtici", "reperfusion_rate", "reperfusion_yu", "reperfusion_debs", "role", "vendor", "center",
]  # fmt: skip


@pytest.fixture(scope="module")
def cohort(tmp_path_factory, small_grid):
    folder = tmp_path_factory.mktemp("cohort") / "simulated"
    return folder, write_cohort(folder, 2, 4, grid=small_grid)


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_layout(cohort):
    folder, result = cohort
    found = set(digests(folder))
    for sub in ("sub-0001", "sub-0002"):
        images = {f"raw_data/{sub}/ses-01/{sub}_ses-01_{m}" for m in ("dwi", "b0", "adc", "pwi")}
        expected = {f"{image}.{ending}" for image in images for ending in ("nii.gz", "json")}
        expected |= {f"raw_data/{sub}/ses-02/{sub}_ses-02_flair.nii.gz"}
        drawn = ("rater-1_read-1", "rater-1_read-2", "rater-1_read-3", "rater-2_read-1")
        expected |= {f"derivatives/{sub}/ses-01/{sub}_ses-01_{d}_core-msk.nii.gz" for d in drawn}
        expected |= {f"derivatives/{sub}/ses-01/{sub}_ses-01_core-msk.nii.gz"}
        expected |= {f"derivatives/{sub}/ses-02/{sub}_ses-02_lesion-msk.nii.gz"}
        expected |= {f"derivatives/{sub}/truth/{sub}_{m}.nii.gz" for m in ("cbf", "cbv", "mtt", "delay", "tmax_ref")}
        assert expected <= found
    assert not any("unfinished" in name for name in found)
    assert sorted(result["files"]) == sorted(str(folder / name) for name in found)


def test_participants_table(cohort):
    folder, _ = cohort
    with (folder / "participants.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert list(rows[0])[: len(COLUMNS)] == COLUMNS
    assert [row["participant_id"] for row in rows] == ["sub-0001", "sub-0002"]
    for row in rows:
        assert row["role"] == "any"
        assert row["center"] == "simulated"
        assert row["vendor"] == "A"
        assert row["person"] == f"phantom-{row['population']}-{4 * 1_000_003 + int(row['participant_id'][-1]) - 1}"
        assert all(value not in ("", "None") for value in row.values())


def test_says_that_it_is_simulated(cohort):
    description = json.loads((cohort[0] / "dataset_description.json").read_text())
    assert "SIMULATED" in description["Name"]
    assert description["Simulated"] is True
    assert description["PhantomFingerprint"] == FINGERPRINT


def test_what_came_of_the_oedema_is_recorded(cohort):
    truth = cohort[0] / "derivatives/sub-0001/truth"
    course = json.loads((truth / "sub-0001_course.json").read_text())
    masks = [read_image(truth / f"sub-0001_{k}.nii.gz").array for k in ("infarct", "infarct_day5")]
    before, after = map(np.count_nonzero, masks)
    assert course["oedema_gain_of_outline"] == pytest.approx(after / before - 1, abs=5.1e-4)
    assert 0.06 <= course["oedema_gain"] <= 0.26


def test_files_hold_the_patient(cohort, small_grid):
    folder, _ = cohort
    patient = simulate_patient(4 * 1_000_003, grid=small_grid)
    first = folder / "raw_data/sub-0001/ses-01"
    for name in ("b0", "dwi", "adc", "pwi"):
        volume = read_image(first / f"sub-0001_ses-01_{name}.nii.gz")
        assert np.array_equal(volume.array, patient.volumes[name].array), name
        assert np.array_equal(volume.affine, patient.volumes[name].affine)
    truth = folder / "derivatives/sub-0001/truth"
    assert np.array_equal(read_image(truth / "sub-0001_tmax_ref.nii.gz").array, patient.truth["tmax_ref"].array)
    lesion = nibabel.load(folder / "derivatives/sub-0001/ses-02/sub-0001_ses-02_lesion-msk.nii.gz")
    assert np.array_equal(np.asarray(lesion.dataobj).T > 0, patient.truth["infarct_day5"].array > 0)


def test_headers(cohort):
    folder, _ = cohort
    image = nibabel.load(folder / "raw_data/sub-0001/ses-01/sub-0001_ses-01_pwi.nii.gz")
    assert image.get_data_dtype() == np.int16
    assert image.header["sform_code"] == 1
    assert image.header["qform_code"] == 1
    assert np.allclose(image.header.get_zooms(), (3.6, 3.6, 12.0, 1.5), atol=1e-5)
    assert image.header.get_xyzt_units() == ("mm", "sec")
    assert np.allclose(image.get_qform(), image.get_sform(), atol=1e-4)
    sidecar = json.loads((folder / "raw_data/sub-0001/ses-01/sub-0001_ses-01_pwi.json").read_text())
    assert sidecar["RepetitionTime"] == 1.5
    assert sidecar["MagneticFieldStrength"] == 3.0
    assert sidecar["EchoTime"] == 0.03


def test_same_seed_same_bytes(cohort, tmp_path, small_grid):
    write_cohort(tmp_path / "again", 2, 4, grid=small_grid)
    assert digests(tmp_path / "again") == digests(cohort[0])


def test_without_the_series(tmp_path, small_grid):
    write_cohort(tmp_path, 1, 0, perfusion=False, grid=small_grid)
    assert not list(tmp_path.rglob("*_pwi*"))
    assert list(tmp_path.rglob("*_dwi.nii.gz"))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory, small_grid):
    """Six CT patients without the series, of both vendors."""
    folder = tmp_path_factory.mktemp("cohort") / "mixed"
    options = {"perfusion": False, "grid": small_grid, "modality": "CT", "vendor": "both", "centers": 4}
    return folder, write_cohort(folder, 6, 9, population="dwi", **options), options


def test_processes_side_by_side_write_the_same_bytes(mixed, tmp_path):
    folder, result, options = mixed
    said = []
    again = write_cohort(
        tmp_path / "two", 6, 9, population="dwi", workers=2, progress=lambda f, m: said.append((f, m)), **options
    )
    assert again["participants"] == result["participants"]
    assert digests(tmp_path / "two") == digests(folder)
    fractions = [f for f, _ in said]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert said[-1][1] == "6 of 6 patients written"


def test_two_vendors_and_four_hospitals(mixed):
    folder, result, _ = mixed
    rows = result["participants"]
    assert {row["vendor"] for row in rows} == {"A", "B"}
    for row in rows:
        number = int(row["center"].removeprefix("simulated-"))
        assert row["vendor"] == "AB"[(number - 1) % 2]
        assert 1 <= number <= 4
    images = {path.name.split("_ses-01_")[1] for path in folder.glob("raw_data/*/ses-01/*.nii.gz")}
    assert images == {"ncct.nii.gz"}
    sidecar = json.loads((folder / "raw_data/sub-0001/ses-01/sub-0001_ses-01_ncct.json").read_text())
    assert sidecar["Modality"] == "CT"
    for row in rows:
        name = row["participant_id"]
        sidecar = json.loads((folder / f"raw_data/{name}/ses-02/{name}_ses-02_flair.json").read_text())
        assert sidecar["MagneticFieldStrength"] == {"A": 3.0, "B": 1.5}[row["vendor"]]
        assert sidecar["Modality"] == "MR"


def test_perfusion_at_24_h(tmp_path, small_grid):
    number = next(s for s in range(50) if (c := draw_person(s * 1_000_003).course).scan_24h and c.mtici == "3")
    rows = write_cohort(tmp_path, 1, number, grid=small_grid)["participants"]
    truth = tmp_path / "derivatives/sub-0001/truth"
    first, later = (read_image(truth / f"sub-0001_{k}.nii.gz").array > 6 for k in ("tmax_ref", "tmax_ref_24h"))
    # Yu et al. 2020: 100 % × (1 − volume of Tmax > 6 s at 24 h over that at baseline)
    assert rows[0]["reperfusion_rate"] == pytest.approx(100 * (1 - later.sum() / first.sum()), abs=0.051)
    series = [tmp_path / f"raw_data/sub-0001/ses-{k}/sub-0001_ses-{k}_pwi.nii.gz" for k in ("01", "24h")]
    images = [read_image(path).array for path in series]
    assert images[0].shape[1:] == images[1].shape[1:]
    assert not np.array_equal(images[0][0], images[1][0])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_cancelled_cohort_leaves_nothing(tmp_path, small_grid, workers):
    def cancel(fraction, message):
        if fraction > 0.2:
            raise KeyboardInterrupt

    before = multiprocessing.active_children()
    with pytest.raises(KeyboardInterrupt):
        write_cohort(tmp_path / "cohort", 4, 0, grid=small_grid, perfusion=False, workers=workers, progress=cancel)
    assert not (tmp_path / "cohort").exists()
    assert multiprocessing.active_children() == before


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"modality": "PET"}, "choose MR or CT"), ({"vendor": "C"}, "choose A, B or both"), ({"cases": 0}, "at least 1"),
     ({"seed": -1}, "from 0"), ({"population": "mars"}, "choose lvo"), ({"workers": -1}, "from 0"),
     ({"centers": 0}, "at least 1 centre")],
)  # fmt: skip
def test_wrong_requests_leave_nothing(tmp_path, wrong, words):
    with pytest.raises(StrokeError, match=words) as caught:
        run(tmp_path / "cohort", **wrong)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "cohort").exists()
