import hashlib
import json
import subprocess
import sys

import nibabel
import numpy as np
import pytest
from perfusion_scans import make_scan

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import read_image, write_image
from StrokePredictLib.perfusion import job
from StrokePredictLib.perfusion.sources import read_sidecar


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with an MR and a CT series and sidecars."""
    place = tmp_path_factory.mktemp("series")
    for modality, name in (("MR", "sub_pwi"), ("CT", "sub_ctp")):
        scan = make_scan(modality, slices=7)
        write_image(place / f"{name}.nii.gz", scan.series)
        sidecar = {"RepetitionTime": 1.5} | ({"EchoTime": 0.03} if modality == "MR" else {})
        (place / f"{name}.json").write_text(json.dumps(sidecar))
    return place


@pytest.mark.parametrize(("name", "modality"), [("sub_pwi", "MR"), ("sub_ctp", "CT")])
def test_files_are_written_on_the_grid(folder, tmp_path, name, modality):
    seen = []
    done = job.run(folder / f"{name}.nii.gz", tmp_path / "out", progress=lambda share, text: seen.append(share))
    names = {"cbf.nii.gz", "cbv.nii.gz", "mtt.nii.gz", "tmax.nii.gz", "ttp.nii.gz"}
    pictures = {"inputs.png", "maps.png"}
    assert {f.name for f in (tmp_path / "out").iterdir()} == names | pictures | {"perfusion.json"}
    assert sorted(done["files"]) == sorted(str(f) for f in (tmp_path / "out").iterdir())
    source = nibabel.load(folder / f"{name}.nii.gz")
    for file in names:
        image = nibabel.load(tmp_path / "out" / file)
        np.testing.assert_allclose(image.affine, source.affine)
        assert image.shape == source.shape[:3]
    record = json.loads((tmp_path / "out" / "perfusion.json").read_text())
    assert record == json.loads(json.dumps(done["summary"]))
    assert record["modality"] == modality
    assert record["quality_passed"]
    assert record["times"]["source"] == "sidecar RepetitionTime"
    assert len(record["aif"]["candidates"]) >= 3
    assert seen == sorted(seen)


def test_the_record_names_its_input_by_hash(folder, tmp_path):
    scan = make_scan("MR", slices=7)
    write_image(tmp_path / "brain.nii.gz", read_image(folder / "sub_pwi.nii.gz").with_array(scan.brain))
    job.run(folder / "sub_pwi.nii.gz", tmp_path / "out", mask=tmp_path / "brain.nii.gz")
    record = json.loads((tmp_path / "out" / "perfusion.json").read_text())
    inputs = record["provenance"]["inputs"]
    for role, path in (("series", folder / "sub_pwi.nii.gz"), ("mask", tmp_path / "brain.nii.gz")):
        assert inputs[role] == {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert record["provenance"]["parameters"]["method"] == "bsvd"
    assert str(tmp_path) not in json.dumps(record), "a folder's name may be a patient's"
    assert record["simulated"] is False


def test_a_second_method_leaves_nothing_of_the_first(folder, tmp_path):
    job.run(folder / "sub_ctp.nii.gz", tmp_path / "out", method="vascular")
    assert (tmp_path / "out" / "delay.nii.gz").is_file()
    (tmp_path / "out" / "notes.txt").write_text("a reader's own")
    done = job.run(folder / "sub_ctp.nii.gz", tmp_path / "out", method="bsvd")
    assert {f.name for f in (tmp_path / "out").iterdir()} == {
        "cbf.nii.gz", "cbv.nii.gz", "mtt.nii.gz", "tmax.nii.gz", "ttp.nii.gz", "inputs.png", "maps.png",
        "perfusion.json", "notes.txt",
    }  # fmt: skip
    assert not any("delay" in name for name in done["files"])


def test_same_input_same_bytes(folder, tmp_path):
    for place in ("one", "two"):
        job.run(folder / "sub_ctp.nii.gz", tmp_path / place)
    for name in ("tmax", "cbf"):
        one, two = (read_image(tmp_path / place / f"{name}.nii.gz").array for place in ("one", "two"))
        np.testing.assert_array_equal(one, two)
    assert (tmp_path / "one" / "perfusion.json").read_bytes() == (tmp_path / "two" / "perfusion.json").read_bytes()


def test_arterial_curve_from_a_file(folder, tmp_path):
    scan = make_scan("CT", slices=7)
    where = (slice(None), slice(3, 4), *scan.artery[1:])
    curve = scan.series.array[where].mean(axis=(1, 2, 3)) - 35.0
    table = tmp_path / "aif.csv"
    table.write_text("time,hu\n" + "\n".join(f"{t},{c}" for t, c in zip(scan.times, curve, strict=True)))
    done = job.run(folder / "sub_ctp.nii.gz", tmp_path / "out", aif=table)
    assert done["summary"]["aif"]["source"] == "given curve"
    np.testing.assert_allclose(done["summary"]["aif"]["curve"], curve, atol=0.01)


@pytest.mark.parametrize("form", ["voxel:13,18,3", "point:{}", "voxel:13,18,3;14,19,3", "roi.nii.gz"])
def test_arterial_input_by_place(folder, tmp_path, form):
    scan = make_scan("CT", slices=7)
    place = scan.series.affine[:3, :3] @ [13, 18, 3] + scan.series.affine[:3, 3]
    if form == "roi.nii.gz":
        roi = np.zeros(scan.brain.shape, dtype=bool)
        roi[3, 18, 13] = True
        form = str(tmp_path / form)
        write_image(form, read_image(folder / "sub_ctp.nii.gz").with_array(roi))
    done = job.run(folder / "sub_ctp.nii.gz", tmp_path / "out", aif=form.format(",".join(str(p) for p in place)))
    assert done["summary"]["aif"]["voxel"] == [13, 18, 3]
    assert done["summary"]["aif"]["source"].startswith("chosen by hand")


def test_the_readers_vein_is_recorded(folder, tmp_path):
    scan = make_scan("CT", slices=7)
    place = ",".join(str(p) for p in scan.series.affine[:3, :3] @ [21, 38, 3] + scan.series.affine[:3, 3])
    done = job.run(folder / "sub_ctp.nii.gz", tmp_path / "out", vof=f"point:{place}")
    record = json.loads((tmp_path / "out" / "perfusion.json").read_text())
    assert record["vof"]["voxel"] == [21, 38, 3]
    assert record["vof"]["source"] == "chosen by hand: point"
    assert record["aif"]["source"] == "automatic"
    assert record["provenance"]["parameters"]["vof"] == f"point:{place}"
    assert done["summary"]["vof"]["source"] == record["vof"]["source"]


@pytest.mark.parametrize("form", ["voxel:1,2", "point:a,b,c", "vein.csv", "somewhere"])
def test_bad_veins_are_told(folder, tmp_path, form):
    with pytest.raises(StrokeError):
        job.run(folder / "sub_ctp.nii.gz", tmp_path / "out", vof=form)


@pytest.mark.parametrize("form", ["voxel:1,2", "point:a,b,c", "voxel:"])
def test_bad_places_are_told(folder, tmp_path, form):
    with pytest.raises(StrokeError):
        job.run(folder / "sub_ctp.nii.gz", tmp_path / "out", aif=form)


@pytest.mark.parametrize("text", ["1\n2\n3\n", "1,2,3\n4,5,6\n", "a,b\nc,d\n"])
def test_bad_arterial_files_are_told(folder, tmp_path, text):
    table = tmp_path / "aif.csv"
    table.write_text(text)
    with pytest.raises(StrokeError, match=r"aif\.csv"):
        job.run(folder / "sub_ctp.nii.gz", tmp_path / "out", aif=table)
    assert not (tmp_path / "out").exists()


def test_modality_that_cannot_be_told_is_asked_for(folder, tmp_path):
    scan = read_image(folder / "sub_pwi.nii.gz")
    write_image(tmp_path / "series.nii.gz", scan)
    with pytest.raises(StrokeError, match="--modality"):
        job.run(tmp_path / "series.nii.gz", tmp_path / "out", interval=1.5)
    done = job.run(tmp_path / "series.nii.gz", tmp_path / "out", interval=1.5, modality="mr")
    assert done["summary"]["modality"] == "MR"


def test_mask_file_is_used(folder, tmp_path):
    scan = make_scan("CT", slices=7)
    half = scan.brain & (np.indices(scan.brain.shape)[2] < 22)
    write_image(tmp_path / "mask.nii.gz", read_image(folder / "sub_ctp.nii.gz").with_array(half))
    job.run(folder / "sub_ctp.nii.gz", tmp_path / "out", mask=tmp_path / "mask.nii.gz")
    cbf = read_image(tmp_path / "out" / "cbf.nii.gz").array
    assert not cbf[:, :, 22:].any()
    assert cbf[half].any()


def test_sidecar_is_found_by_either_ending(folder):
    assert read_sidecar(folder / "sub_pwi.nii.gz")["EchoTime"] == 0.03
    assert read_sidecar(folder / "sub_pwi.nrrd")["EchoTime"] == 0.03


def test_pipeline_needs_no_torch_or_matplotlib():
    """Slicer's own process may import it."""
    code = (
        "import sys; import StrokePredictLib.perfusion.pipeline, StrokePredictLib.perfusion.job;"
        "print([m for m in ('torch', 'matplotlib', 'nibabel', 'pandas', 'monai') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert done.stdout.strip() == "[]"
