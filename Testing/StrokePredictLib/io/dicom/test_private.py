"""Files that tell their b-value, tiles or scaling only in a maker's private elements, against dcm2niix's reading."""

import json
import struct

import numpy as np
import pytest
from support.dicom_files import Place, csa_header, write_classic, write_enhanced, write_mosaic

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.dicom.export import open_export, read_volume

PLACE = Place(spacing=(2.0, 2.0, 5.0))
B = (0, 1000)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).integers(1, 3000, shape)


def siemens(ds, b, block=0x10):
    ds.Manufacturer = "SIEMENS"
    ds.add_new((0x0019, block), "LO", "SIEMENS MR HEADER")
    ds.add_new((0x0019, (block << 8) + 0x0C), "IS", str(b))
    if b:
        ds.add_new((0x0019, (block << 8) + 0x0E), "FD", [0.0, 0.6, 0.8])


def siemens_csa(ds, b):
    ds.Manufacturer = "SIEMENS"
    ds.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(
        0x10, "OB", csa_header({"B_value": ("IS", [str(b)]), "NumberOfImagesInMosaic": ("US", [])})
    )


def ge(ds, b):
    ds.Manufacturer = "GE MEDICAL SYSTEMS"
    ds.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x39, "IS", [str(10**9 + b), "8", "0", "0"])
    block = ds.private_block(0x0019, "GEMS_ACQU_01", create=True)
    for element, value in zip((0xBB, 0xBC, 0xBD), (0.0, 0.6, 0.8), strict=True):
        block.add_new(element, "DS", str(value if b else 0.0))


def philips(ds, b):
    ds.Manufacturer = "Philips Medical Systems"
    ds.private_block(0x2001, "Philips Imaging DD 001", create=True).add_new(0x03, "FL", float(b))


def philips_untyped(ds, b):
    """As after a passage through an archive that knows no private types."""
    ds.Manufacturer = "Philips Medical Systems"
    ds.add_new((0x2001, 0x0010), "LO", "Philips Imaging DD 001")
    ds.add_new((0x2001, 0x1003), "UN", struct.pack("<f", float(b)))


def siemens_elsewhere(ds, b):
    """Another maker's block comes first."""
    ds.add_new((0x0019, 0x0010), "LO", "SOMEBODY ELSE")
    ds.add_new((0x0019, 0x100C), "IS", "77")
    siemens(ds, b, block=0x11)


MAKERS = [siemens, siemens_csa, ge, philips, philips_untyped, siemens_elsewhere]


def write(folder, array, tell):
    def frames(ds, t, z):
        del ds.TemporalPositionIdentifier
        tell(ds, B[t])

    return write_classic(folder, array, PLACE, number=4, description="diffusion", frames=frames)


@pytest.mark.parametrize("tell", MAKERS)
def test_b_values_in_private_elements(tell, tmp_path):
    array = numbers(2, 7, 16, 16)
    write(tmp_path, array, tell)
    found = open_export(tmp_path)
    assert set(found.roles) == {"b0", "dwi"}
    assert found.roles["dwi"].b_value == 1000
    assert np.array_equal(read_volume(found.roles["b0"]).array, array[0])
    assert np.array_equal(read_volume(found.roles["dwi"]).array, array[1])


@pytest.mark.parametrize("tell", [siemens, ge, philips])
def test_dcm2niix_reads_the_same_b_values(tell, tmp_path):
    pytest.importorskip("dcm2niix", reason="dcm2niix (PyPI) is the reference; pip install dcm2niix")
    import subprocess
    import sys

    write(tmp_path / "in", numbers(2, 7, 16, 16), tell)
    (tmp_path / "out").mkdir()
    places = [str(tmp_path / "out"), str(tmp_path / "in")]
    command = [sys.executable, "-m", "dcm2niix", "-z", "n", "-f", "d", "-o", *places]
    subprocess.run(command, capture_output=True, check=True, timeout=120)
    told = sorted(float(v) for path in (tmp_path / "out").glob("*.bval") for v in path.read_text().split())
    ours = sorted(image.b_value for image in open_export(tmp_path / "in").images)
    assert ours == [0.0, 1000.0]
    assert told == ours


def test_a_scale_that_only_philips_knows(tmp_path):
    """Stored numbers over the scale slope, as dcm2niix's precise values."""
    array = numbers(6, 16, 16)

    def frames(ds, t, z):
        ds.Manufacturer = "Philips Medical Systems"
        block = ds.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block.add_new(0x0E, "FL", 0.25)
        block.add_new(0x0D, "FL", 0.0)

    write_classic(tmp_path, array, PLACE, description="t2 flair", frames=frames)
    assert np.allclose(read_volume(open_export(tmp_path).roles["flair"]).array, array * 4.0)


def test_the_standards_scale_comes_first(tmp_path):
    array = numbers(6, 16, 16)

    def frames(ds, t, z):
        ds.RescaleSlope, ds.RescaleIntercept = 2.0, -5.0
        ds.private_block(0x2005, "Philips MR Imaging DD 001", create=True).add_new(0x0E, "FL", 0.25)

    write_classic(tmp_path, array, PLACE, description="t2 flair", frames=frames)
    assert np.allclose(read_volume(open_export(tmp_path).roles["flair"]).array, array * 2.0 - 5.0)


def test_a_mosaic_of_the_newer_software_has_no_csa_header(tmp_path):
    array = numbers(2, 7, 16, 16)
    import pydicom

    for path, b in zip(write_mosaic(tmp_path, array, PLACE, description="ep2d_diff"), B, strict=True):
        ds = pydicom.dcmread(path)
        del ds[0x0029, 0x0010], ds[0x0029, 0x1010]
        siemens(ds, b)
        ds.add_new((0x0019, 0x100A), "US", 7)
        ds.save_as(path)
    found = open_export(tmp_path)
    assert np.array_equal(read_volume(found.roles["b0"]).array, array[0])
    assert np.array_equal(read_volume(found.roles["dwi"]).array, array[1])


def test_a_mosaic_within_an_enhanced_file_is_refused(tmp_path):
    """Cut as a plain picture it would be one wrong section."""
    write_enhanced(tmp_path, numbers(2, 1, 32, 32), PLACE, ImageType=["ORIGINAL", "PRIMARY", "DIFFUSION", "MOSAIC"])
    with pytest.raises(StrokeError, match="a mosaic within an enhanced file"):
        open_export(tmp_path)


def test_broken_private_elements_tell_nothing(tmp_path):
    def tell(ds, b):
        ds.add_new((0x2001, 0x0010), "LO", "Philips Imaging DD 001")
        ds.add_new((0x2001, 0x1003), "UN", b"\xff\xfe")
        ds.add_new((0x0029, 0x1010), "OB", b"SV10 rubbish")

    write(tmp_path, numbers(1, 7, 16, 16), tell)
    assert json.dumps([image.b_value for image in open_export(tmp_path).images]) == "[null]"
