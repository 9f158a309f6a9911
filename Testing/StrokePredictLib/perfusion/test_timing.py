import json

import numpy as np
import pytest

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import read_image, write_image
from StrokePredictLib.perfusion import sources
from StrokePredictLib.perfusion.timing import interpolation_matrix, make_axis
from StrokePredictLib.volume import Volume


def test_even_times_are_left_alone():
    axis = make_axis(np.arange(30) * 1.7 + 4.0, 30, 5)
    assert axis.is_even
    assert axis.notes == ()
    assert axis.dt == pytest.approx(1.7)


def test_milliseconds_are_recognised():
    axis = make_axis(np.arange(40) * 1500.0, 40, 5)
    assert axis.dt == pytest.approx(1.5)
    assert "milliseconds" in axis.notes[0]


def test_two_phases_are_laid_on_the_dense_one():
    times = np.r_[np.arange(0, 45, 1.0), np.arange(45, 90, 3.0)]
    axis = make_axis(times, len(times), 4)
    assert axis.dt == pytest.approx(1.0)
    assert axis.even[-1] == pytest.approx(times[-1])
    assert not axis.is_even
    assert "3.00 s" in axis.notes[0]


def test_interpolation_is_exact_on_a_line():
    times = np.array([0.0, 1.0, 2.5, 7.0])
    even = np.linspace(0.0, 7.0, 15)
    np.testing.assert_allclose(interpolation_matrix(times, even) @ (3.0 * times - 2.0), 3.0 * even - 2.0, rtol=1e-6)


def test_slices_with_times_of_their_own_share_a_span():
    times = np.arange(30)[:, None] * 2.0 + np.array([0.0, 0.5, 1.0])
    axis = make_axis(times, 30, 3)
    assert axis.even[0] >= 1.0
    assert axis.even[-1] <= 58.0 + 1e-9


@pytest.mark.parametrize(
    ("times", "frames", "said"),
    [
        (np.arange(19) * 1.5, 19, "at least 20"),
        (np.arange(30) * 1.5, 31, "one time for each frame"),
        (np.r_[np.arange(29), 3.0], 30, "do not rise"),
        (np.r_[np.arange(29), np.nan], 30, "do not rise"),
        (np.arange(30) * 1e-3, 30, "no perfusion series"),
        (np.arange(30) * 1e6, 30, "no perfusion series"),
    ],
    ids=["few frames", "wrong number", "falling", "not a number", "too fast", "too slow"],
)
def test_bad_times_are_told(times, frames, said):
    with pytest.raises(StrokeError, match=said):
        make_axis(times, frames, 4)


@pytest.fixture
def file(tmp_path):
    series = Volume(np.ones((25, 2, 3, 4), np.float32), np.eye(4))
    path = tmp_path / "sub_pwi.nii.gz"
    write_image(path, series)
    return path


def found(path, **options):
    return sources.find_timing(read_image(path), path, **options)


def test_sidecar_volume_timing_then_repetition_time(file):
    sidecar = file.with_name("sub_pwi.json")
    sidecar.write_text(json.dumps({"RepetitionTime": 1.25, "EchoTime": 0.03}))
    assert found(file).times[-1] == pytest.approx(24 * 1.25)
    assert found(file).echo_time == pytest.approx(0.03)
    sidecar.write_text(json.dumps({"VolumeTiming": (np.arange(25) ** 1.1).tolist(), "RepetitionTime": 9}))
    assert found(file).times[2] == pytest.approx(2**1.1)


def test_slice_timing_of_the_sidecar(file):
    sidecar = file.with_name("sub_pwi.json")
    sidecar.write_text('{"RepetitionTime": 1.5, "SliceTiming": [0.0, 0.75]}')
    timing = found(file)
    np.testing.assert_allclose(timing.times[3], [4.5, 5.25])
    assert "SliceTiming" in timing.source
    for wrong in ("[0.0, 750.0]", "[0.0]", '"none"'):
        sidecar.write_text(f'{{"RepetitionTime": 1.5, "SliceTiming": {wrong}}}')
        assert found(file).times.ndim == 1
        assert "not used" in found(file).warnings[0]


def test_interval_and_file_win_over_the_sidecar(file, tmp_path):
    file.with_name("sub_pwi.json").write_text('{"RepetitionTime": 1.25}')
    assert found(file, interval=2.0).times[1] == 2.0
    table = tmp_path / "times.csv"
    table.write_text("time\n" + "\n".join(f"{1.4 * k:.3f}" for k in range(25)))
    assert found(file, times=table).times[10] == pytest.approx(14.0)


@pytest.mark.parametrize(("unit", "step"), [("sec", 1.5), ("msec", 1500.0), ("usec", 1.5e6)])
def test_header_time_in_its_own_unit_is_used_last_and_said(file, unit, step):
    import nibabel

    image = nibabel.load(file)
    image.header.set_xyzt_units("mm", unit)
    image.header.set_zooms([*image.header.get_zooms()[:3], step])
    nibabel.save(nibabel.Nifti1Image(image.get_fdata(), image.affine, image.header), file)
    timing = found(file)
    assert timing.times[1] == pytest.approx(1.5)
    assert "header" in timing.warnings[0]


def test_echo_time_in_ms_is_recognised(file):
    timing = found(file, interval=1.0, echo_time=30.0)
    assert timing.echo_time == pytest.approx(0.030)
    assert "ms" in timing.warnings[0]


def test_no_times_anywhere(file):
    import nibabel

    image = nibabel.load(file)
    image.header["pixdim"][4] = 0
    nibabel.save(nibabel.Nifti1Image(image.get_fdata(), image.affine, image.header), file)
    volume = read_image(file)
    volume.header["pixdim"][4] = 0
    with pytest.raises(StrokeError, match="no frame times"):
        sources.find_timing(volume, file)


@pytest.mark.parametrize("text", ["", "1,2\n3\n", "0\nx\n2\n", "nan\n1\n"])
def test_bad_tables_are_told(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(StrokeError, match=r"t\.csv"):
        sources.read_table(path)


@pytest.mark.parametrize(
    "sidecar", ["{", '{"RepetitionTime": "fast"}', '{"VolumeTiming": [[1]]}', '{"RepetitionTime": -1}']
)
def test_bad_sidecars_are_told(file, sidecar):
    file.with_name("sub_pwi.json").write_text(sidecar)
    with pytest.raises(StrokeError, match="sub_pwi"):
        found(file)
