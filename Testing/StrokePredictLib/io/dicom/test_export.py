"""Exports as hospitals hand them over: mixed, incomplete, doubled, broken."""

import json
import time

import numpy as np
import pydicom
import pytest
from support.dicom_files import Place, new_dataset, save, uid, write_classic, write_mosaic

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.dicom.convert_job import run
from StrokePredictLib.io.dicom.export import open_export, read_volume

PLACE = Place(spacing=(2.0, 2.0, 5.0))


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).integers(1, 3000, shape)


def diffusion(ds, t, z):
    """Two weightings and three directions in one series, as one file a section."""
    directions = [None, (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    ds.DiffusionBValue = 0.0 if t == 0 else 1000.0
    if directions[t]:
        ds.DiffusionGradientOrientation = list(directions[t])


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """A stroke protocol: scout, diffusion by direction, ADC, FLAIR, perfusion, a map, a report's picture."""
    folder = tmp_path_factory.mktemp("Müller Übung export")
    made = {"dwi": numbers(4, 10, 16, 16), "adc": numbers(10, 16, 16), "flair": numbers(12, 20, 20)}
    made |= {"pwi": numbers(25, 8, 16, 16), "tmax": numbers(8, 16, 16)}
    scout = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}
    write_classic(folder, numbers(3, 16, 16), PLACE, number=1, description="AAHead", **scout)
    write_classic(folder, made["dwi"], PLACE, number=2, description="ep2d_diff", frames=diffusion, EchoTime=80.0)
    derived = {"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC", "ND"]}
    write_classic(folder, made["adc"], PLACE, number=3, description="ep2d_diff_ADC", **derived)
    write_classic(folder, made["flair"], Place(spacing=(1, 1, 4)), number=4, description="t2 FLAIR tra")
    write_classic(folder, made["pwi"], PLACE, number=5, description="ep2d_perf", interval=1.6)
    write_classic(folder, made["tmax"], PLACE, number=6, description="RAPID TMax", ImageType=["DERIVED", "SECONDARY"])
    colour = new_dataset(PLACE, (8, 8), 7, "RAPID summary")
    colour.SamplesPerPixel, colour.PhotometricInterpretation, colour.PlanarConfiguration = 3, "RGB", 0
    save(colour, folder / "007" / "picture", np.zeros((8, 12), int))
    (folder / "README.txt").write_text("hello")
    return folder, made


def test_roles_with_reasons(export):
    folder, made = export
    found = open_export(folder)
    assert set(found.roles) == {"b0", "dwi", "adc", "flair", "pwi", "tmax"}
    assert found.roles["dwi"].b_value == 1000
    assert "b = 0" in found.reasons["b0"]
    assert np.array_equal(read_volume(found.roles["adc"]).array, made["adc"])
    assert np.array_equal(read_volume(found.roles["pwi"]).array, made["pwi"])


def test_the_trace_image_is_the_geometric_mean_of_the_directions(export):
    folder, made = export
    found = open_export(folder)
    trace = read_volume(found.roles["dwi"]).array
    assert np.allclose(trace, np.prod(made["dwi"][1:].astype(float), axis=0) ** (1 / 3), rtol=1e-4)
    assert any("geometric mean of 3 images" in doubt for doubt in found.doubts)


def test_what_is_left_out_is_told_without_a_name(export):
    found = open_export(export[0])
    told = " ".join([*found.skipped, *found.left, *found.doubts])
    assert "a scout" in told
    assert "colour picture" in told
    assert "README.txt: no DICOM file" in told
    assert "Geheim" not in told


def test_conversion_writes_what_the_perfusion_step_reads(export, tmp_path):
    result = run(export[0], tmp_path / "case")
    sidecar = json.loads((tmp_path / "case" / "pwi.json").read_text())
    assert np.allclose(sidecar["VolumeTiming"], np.arange(25) * 1.6, atol=1e-3)
    assert sidecar["EchoTime"] == pytest.approx(0.030)
    assert json.loads((tmp_path / "case" / "dwi.json").read_text())["DiffusionBValue"] == 1000
    assert len(result["files"]) == 12
    assert "Geheim" not in json.dumps(result) + "".join(p.read_text() for p in (tmp_path / "case").glob("*.json"))


def test_times_over_midnight(tmp_path):
    def late(ds, t, z):
        at = (23 * 3600 + 59 * 60 + 50 + 2 * t) % 86400
        ds.AcquisitionTime = ds.ContentTime = f"{at // 3600:02d}{at % 3600 // 60:02d}{at % 60:02d}"

    write_classic(tmp_path, numbers(12, 4, 8, 8), PLACE, frames=late)
    assert np.allclose(open_export(tmp_path).images[0].times, np.arange(12) * 2.0)


def test_a_shuttle_has_times_of_its_own_for_every_section(tmp_path):
    """The table moves back and forth: the lower half is imaged 1.5 s after the upper one."""

    def shuttle(ds, t, z):
        ds.AcquisitionTime = ds.ContentTime = f"1015{3 * t + (1.5 if z < 4 else 0):09.6f}"
        del ds.TemporalPositionIdentifier

    array = numbers(15, 8, 8, 8)
    write_classic(tmp_path / "in", array, PLACE, modality="CT", description="CTP", frames=shuttle)
    found = open_export(tmp_path / "in")
    assert set(found.roles) == {"ctp"}
    expected = 3.0 * np.arange(15)[:, None] + np.where(np.arange(8) < 4, 1.5, 0.0)
    assert np.allclose(found.roles["ctp"].times, expected, atol=1e-3)
    assert np.array_equal(read_volume(found.roles["ctp"]).array, array)
    run(tmp_path / "in", tmp_path / "out")
    assert np.allclose(np.loadtxt(tmp_path / "out" / "ctp_times.csv", delimiter=","), expected, atol=1e-3)


def test_diffusion_mosaics_are_split_by_b_value(tmp_path):
    array = numbers(2, 7, 16, 16)
    write_mosaic(tmp_path, array, PLACE, description="ep2d_diff", b_values=[0, 1000])
    found = open_export(tmp_path)
    assert np.array_equal(read_volume(found.roles["b0"]).array, array[0])
    assert np.array_equal(read_volume(found.roles["dwi"]).array, array[1])


def test_a_missing_section_is_no_image(tmp_path):
    paths = write_classic(tmp_path, numbers(8, 8, 8), PLACE, description="t2 flair")
    paths[3].unlink()
    with pytest.raises(StrokeError, match="a section is missing"):
        open_export(tmp_path)


def test_an_unfinished_last_time_point_is_left_out(tmp_path):
    array = numbers(22, 6, 8, 8)
    paths = write_classic(tmp_path, array, PLACE, description="perf")
    for path in paths[-2:]:
        path.unlink()
    image = open_export(tmp_path).images[0]
    assert np.array_equal(read_volume(image).array, array[:21])
    assert "22 time points is incomplete" in image.notes[0]


@pytest.mark.parametrize("lost", [(60,), (60, 61), (65,), (0,)])
def test_a_gap_in_the_middle_never_shifts_the_rest(lost, tmp_path):
    """One image of a time point other than the last is missing: pairing by rank would mix two moments."""
    paths = write_classic(tmp_path, numbers(22, 6, 8, 8), PLACE, description="perf")
    for n in lost:
        paths[n].unlink()
    with pytest.raises(StrokeError, match="a time point in its middle is incomplete"):
        open_export(tmp_path)


@pytest.mark.parametrize("count", [6, 2])
def test_frames_of_another_size_are_never_mixed_in(count, tmp_path):
    array = numbers(22, 6, 8, 8)
    paths = write_classic(tmp_path, array, PLACE, description="perf")
    for path in paths[60 : 60 + count]:
        ds = pydicom.dcmread(path)
        ds.Rows = ds.Columns = 10
        save(ds, path, np.ones((10, 10)))
    found = open_export(tmp_path)
    series = [image for image in found.images if image.count > 1]
    if count == 6:  # the whole time point: the rest keep their own times, with a gap
        assert np.array_equal(read_volume(series[0]).array, np.delete(array, 10, axis=0))
        assert np.allclose(series[0].times, np.delete(np.arange(22) * 1.5, 10))
    else:
        assert not series
        assert any("in its middle is incomplete" in reason for reason in found.skipped)
    assert any("10×10" in reason for reason in found.left)


def test_copies_and_doubled_sections(tmp_path):
    paths = write_classic(tmp_path, numbers(6, 8, 8), PLACE, description="t2 flair")
    (tmp_path / "copy").write_bytes(paths[2].read_bytes())
    found = open_export(tmp_path)
    assert "a copy of another file" in found.skipped[0]
    assert found.roles["flair"].count == 1
    again = pydicom.dcmread(paths[2])
    again.SOPInstanceUID = again.file_meta.MediaStorageSOPInstanceUID = uid("again")
    again.save_as(tmp_path / "again")
    with pytest.raises(StrokeError, match="there twice"):
        open_export(tmp_path)


def test_two_patients_are_refused_without_their_names(tmp_path):
    write_classic(tmp_path / "a", numbers(4, 8, 8), PLACE, patient="P1")
    write_classic(tmp_path / "b", numbers(4, 8, 8), PLACE, patient="P2")
    with pytest.raises(StrokeError, match="2 patients") as caught:
        open_export(tmp_path)
    assert "Geheim" not in str(caught.value)


@pytest.mark.parametrize("tag", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_a_missing_tag_names_itself(tag, tmp_path):
    write_classic(tmp_path, numbers(4, 8, 8), PLACE, frames=lambda ds, t, z: delattr(ds, tag))
    with pytest.raises(StrokeError, match=f"no {tag}"):
        open_export(tmp_path)


def test_truncated_files(tmp_path):
    paths = write_classic(tmp_path, numbers(5, 32, 32), PLACE, description="t2 flair")
    paths[4].write_bytes(paths[4].read_bytes()[:-1500])
    found = open_export(tmp_path)
    assert any("a truncated file" in reason for reason in found.skipped)
    paths[1].write_bytes(paths[1].read_bytes()[:200])
    with pytest.raises(StrokeError, match="no DICOM image in it can be used"):
        open_export(tmp_path)


def test_a_compression_without_decoder_is_named(tmp_path):
    def compressed(ds, t, z):
        ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.106"  # JPEG XL, which pydicom has no decoder for

    write_classic(tmp_path / "in", numbers(4, 8, 8), PLACE, description="t2 flair")
    for number, path in enumerate(sorted((tmp_path / "in").rglob("IM*"))):
        ds = pydicom.dcmread(path)
        ds.PixelData = pydicom.encaps.encapsulate([b"\xff\x0a" + bytes([number] * 10)])
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
        ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.106"
        ds.save_as(path)
    with pytest.raises(StrokeError, match="without a decoder"):
        open_export(tmp_path / "in")


def test_gantry_tilt_is_taken_out(tmp_path):
    """Values that grow evenly with the place in the patient do so still, on an upright grid."""
    _, y, x = np.mgrid[:6, :40, :40]
    shift = 1.5 * np.arange(6)[:, None, None]
    height = -100.0 + 2.0 * y + shift  # mm towards the back

    def tilted(ds, t, z):
        ds.ImagePositionPatient = [-100.0, -100.0 + 1.5 * z, 5.0 * z]

    write_classic(tmp_path, np.rint(10 * height + 3 * x).astype(int), PLACE, modality="CT", frames=tilted)
    image = open_export(tmp_path).images[0]
    assert "gantry tilt of 16.7°" in image.notes[0]  # atan(1.5 / 5)
    volume = read_volume(image)
    assert np.allclose(volume.direction, np.eye(3))
    place = volume.affine[1, 3] + 2.0 * y
    inside = (y > 3) & (y < 36)
    assert np.abs(volume.array - (10 * place + 3 * x))[inside].max() < 1.0  # whole numbers were stored


def test_uneven_sections_are_told(tmp_path):
    def uneven(ds, t, z):
        ds.ImagePositionPatient = [-100.0, -100.0, 5.0 * z - (2.0 if z == 4 else 0.0)]

    write_classic(tmp_path / "b", numbers(5, 8, 8), PLACE, frames=uneven)
    with pytest.raises(StrokeError, match="unevenly spaced"):
        open_export(tmp_path / "b")


def test_two_frames_of_reference_are_doubted(tmp_path):
    write_classic(tmp_path, numbers(4, 8, 8), PLACE, number=1, description="dwi trace")
    write_classic(tmp_path, numbers(4, 8, 8), Place(corner=(0, 0, 0)), number=2, description="flair")
    assert any("2 frames of reference" in doubt for doubt in open_export(tmp_path).doubts)


def test_a_patient_of_many_files_is_sorted_quickly(tmp_path):
    """1,000 files here; 5,000 must take 20 s at most, and time grows in proportion."""
    paths = write_classic(tmp_path, numbers(50, 20, 8, 8), PLACE, description="perf")
    start = time.perf_counter()
    found = open_export(tmp_path)
    assert len(paths) == 1000
    assert found.roles["pwi"].count == 50
    assert time.perf_counter() - start < 8.0
