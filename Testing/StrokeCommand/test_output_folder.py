"""An output folder shows one patient, one run, and never eats an input."""

import json

import nibabel
import numpy as np
import pytest
from support.command_line import assert_one_line, good_case, save


def volumes(folder):
    return json.loads((folder / "volumes.json").read_text())["volumes_ml"]


def with_tmax(folder, sections=6, z0=0.0):
    """A Tmax map of 8 s on the left half; a slab of some sections, from some height on."""
    good_case(folder)
    tmax = np.full((40, 40, sections), 2.0)
    tmax[20:] = 8.0
    path = save(folder / "tmax.nii.gz", tmax)
    image = nibabel.load(path)
    affine = image.affine.copy()
    affine[2, 3] += z0
    nibabel.save(nibabel.Nifti1Image(image.get_fdata().astype(np.float32), affine), path)
    return folder


def test_masks_of_an_earlier_run_are_no_input(stroke, tmp_path):
    folder = with_tmax(tmp_path / "case")
    first = stroke("threshold", folder, "-o", folder)
    assert first.returncode == 0, first.stderr
    before = volumes(folder)
    assert before["hypoperfused_tmax"] > 10
    (folder / "brain.nii.gz").unlink()
    assert stroke("threshold", folder, "-o", folder).returncode == 0
    assert volumes(folder) == before


def test_an_input_is_never_overwritten(stroke, tmp_path):
    folder = with_tmax(tmp_path / "case")
    mask = np.zeros((40, 40, 6))
    mask[8:32, 8:32] = 1
    save(folder / "brain.nii.gz", mask)
    before = (folder / "brain.nii.gz").read_bytes()
    assert_one_line(stroke("threshold", folder, "-o", folder), "brain.nii.gz", "would be overwritten")
    assert (folder / "brain.nii.gz").read_bytes() == before
    assert not (folder / "volumes.json").exists()


def test_a_second_patient_replaces_the_first_wholly_or_not_at_all(stroke, tmp_path):
    one, two = good_case(tmp_path / "one"), good_case(tmp_path / "two")
    out = tmp_path / "out"
    done = stroke("analyse", one, "-o", out, "--demonstration")
    assert done.returncode == 0, done.stderr
    before = {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert (out / "prediction" / "prediction.json").is_file()
    for largest in (300, 20_000):  # fails at the first mask; at a later page
        done = stroke("analyse", two, "-o", out, largest=largest)
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1].startswith(f"error: {out}")
        assert "unfinished" not in done.stderr
        assert {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()} == before
    assert stroke("analyse", two, "-o", out).returncode == 0
    assert json.loads((out / "thresholds" / "volumes.json").read_text())["patient"] == "two"
    assert not list((out / "prediction").glob("*"))
    assert json.loads((out / "report.json").read_text())["patient"] == "two"


def test_a_cohort_is_not_mixed_with_another(stroke, tmp_path):
    (tmp_path / "cohort" / "raw_data" / "sub-0007").mkdir(parents=True)
    assert_one_line(stroke("phantom", "-o", tmp_path / "cohort"), "holds other patients", "sub-0007")
    assert [p.name for p in (tmp_path / "cohort").iterdir()] == ["raw_data"]


@pytest.mark.parametrize(("sections", "z0"), [(2, 5.0), (4, 0.0)])
def test_a_perfusion_slab_is_used_and_what_it_does_not_cover_is_said(stroke, tmp_path, sections, z0):
    folder = with_tmax(tmp_path / "case", sections, z0)
    done = stroke("threshold", folder, "-o", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["volumes"]
    assert f"Perfusion: {5 * sections} mm" in found["coverage"]
    brain = nibabel.load(tmp_path / "out" / "brain.nii.gz").get_fdata() > 0
    low = round(z0 / 5)
    unseen = brain.sum() - brain[..., low : low + sections].sum()
    (doubt,) = [d for d in found["doubts"] if "was not measured" in d]
    assert f"{unseen * 4 * 4 * 5 / 1000:.0f} mL" in doubt


@pytest.mark.parametrize("sections", [1, 2, 3])
def test_few_sections_are_usual_images(stroke, tmp_path, sections):
    folder = tmp_path / "case"
    yes = np.zeros((80, 80, sections))
    yes[14:66, 14:66] = 300
    save(folder / "b0.nii.gz", yes * 2.2, spacing=(3, 3, 12, 1))
    save(folder / "dwi.nii.gz", yes, spacing=(3, 3, 12, 1))
    done = stroke("threshold", folder, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    brain = nibabel.load(tmp_path / "out" / "brain.nii.gz").get_fdata() > 0
    truth = yes > 0
    assert 2 * (brain & truth).sum() / (brain.sum() + truth.sum()) > 0.95
