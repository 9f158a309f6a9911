"""The whole demonstration, run once for real and asked for everything that a user relies on."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

TRUTH = Path("patient/derivatives/sub-0001/truth")


def run_demo(folder, environment, *words):
    command = [sys.executable, "-m", "StrokeCommand", "demo", "-o", str(folder), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=True)


@pytest.fixture(scope="module")
def demo(tmp_path_factory, stroke_environment):
    folder = tmp_path_factory.mktemp("demo") / "out"
    return folder, run_demo(folder, stroke_environment)


def load(path):
    return nibabel.load(path).get_fdata()


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_it_leaves_what_the_readme_says(demo):
    folder, done = demo
    wanted = ["scene.mrb", "summary.png", "report.html", "report.json"]
    wanted += ["perfusion/tmax.nii.gz", "perfusion/perfusion.json"]
    wanted += ["thresholds/volumes.json", "thresholds/core_adc.nii.gz", "prediction/prediction.json"]
    for name in wanted:
        assert (folder / name).stat().st_size > 0
    for name in ("scene.mrb", "summary.png", "report.html", "report.json"):
        assert str(folder / name) in done.stdout
    assert not [p for p in folder.rglob("*") if "unfinished" in p.name]


def test_it_names_each_stage_with_its_time_and_ends_with_volumes(demo):
    _, done = demo
    stages = [line for line in done.stderr.splitlines() if line.rstrip().endswith(" s")]
    assert len(stages) >= 5
    assert "found, mL" in done.stdout
    assert "true, mL" in done.stdout
    assert "not for clinical use" in done.stdout.lower()


def test_hypoperfusion_agrees_with_the_reference_tmax(demo):
    folder, _ = demo
    tissue = load(folder / TRUTH / "sub-0001_tissue.nii.gz") >= 2
    reference = (load(folder / TRUTH / "sub-0001_tmax_ref.nii.gz") > 6) & tissue
    assert reference.sum() > 500
    assert dice(load(folder / "thresholds" / "hypoperfused_tmax.nii.gz") > 0, reference) >= 0.75


def test_core_agrees_with_the_true_core(demo):
    folder, _ = demo
    core = load(folder / TRUTH / "sub-0001_core.nii.gz") > 0
    assert core.sum() > 100
    assert dice(load(folder / "thresholds" / "core_adc.nii.gz") > 0, core) >= 0.6


def test_reported_numbers_are_those_of_the_files(demo):
    folder, _ = demo
    report = json.loads((folder / "report.json").read_text())
    volumes = json.loads((folder / "thresholds" / "volumes.json").read_text())["volumes_ml"]
    for key in ("core_adc", "hypoperfused_tmax"):
        image = nibabel.load(folder / "thresholds" / f"{key}.nii.gz")
        ml = (image.get_fdata() > 0).sum() * np.prod(image.header.get_zooms()) / 1000
        assert volumes[key] == pytest.approx(ml, abs=0.01)
        assert report["volumes"]["volumes_ml"][key] == volumes[key]


def test_scene_holds_the_written_masks_bit_by_bit_in_their_place(demo):
    slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
    import vtk
    from vtk.util import numpy_support

    from StrokePredictSlicer.scene import open_scene

    folder, _ = demo
    scene = open_scene(folder / "scene.mrb")
    count = scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    names = {scene.GetNthNodeByClass(i, "vtkMRMLScalarVolumeNode").GetName() for i in range(count)}
    assert {"DWI b0", "DWI", "ADC", "CBF", "CBV", "MTT", "Tmax", "TTP", "Probability (infarct-general)"} <= names
    segmentation = scene.GetFirstNodeByClass("vtkMRMLSegmentationNode")
    masks = {key: folder / "thresholds" / f"{key}.nii.gz" for key in ("brain", "core_adc", "hypoperfused_tmax")}
    masks["infarct_predicted"] = folder / "prediction" / "mask_infarct-general.nii.gz"
    for key, path in masks.items():
        file = nibabel.load(path)
        image, matrix = slicer.vtkOrientedImageData(), vtk.vtkMatrix4x4()
        assert segmentation.GetBinaryLabelmapRepresentation(key, image)
        values = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
        x0, x1, y0, y1, z0, z1 = image.GetExtent()
        whole = np.zeros(file.shape[::-1], bool)
        whole[z0 : z1 + 1, y0 : y1 + 1, x0 : x1 + 1] = values.reshape(image.GetDimensions()[::-1]) > 0
        assert np.array_equal(whole, file.get_fdata().T > 0)
        image.GetImageToWorldMatrix(matrix)
        world = np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])
        ends = np.array([[i, j, k, 1] for i in (0, 127) for j in (0, 127) for k in (0, 23)]).T
        assert np.abs(world @ ends - file.affine @ ends).max() < 1e-4


def test_same_seed_same_bits(demo, tmp_path, stroke_environment):
    folder, _ = demo
    run_demo(tmp_path / "again", stroke_environment, "--seed", "0")
    first, second = (
        {p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in root.rglob("*.nii.gz")}
        for root in (folder, tmp_path / "again")
    )
    assert len(first) > 20
    assert first == second
    for name in ("thresholds/volumes.json", "prediction/prediction.json"):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_another_seed_is_another_patient(demo, tmp_path, stroke_environment):
    folder, _ = demo
    done = run_demo(tmp_path / "other", stroke_environment, "--seed", "5", "--json")
    result = json.loads(done.stdout)
    assert {"files", "stages", "compared"} <= result.keys()
    here, there = (root / "thresholds" / "core_adc.nii.gz" for root in (folder, tmp_path / "other"))
    assert not np.array_equal(load(here), load(there))
