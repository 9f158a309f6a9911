"""The folder through which volumes travel."""

import os
import subprocess
import sys

import numpy as np
import pytest

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import read_image
from StrokePredictLib.job_folder import JobFolder
from StrokePredictLib.volume import Volume
from StrokePredictLib.worker_client import environment

ANGLE = np.deg2rad(11)
OBLIQUE = np.eye(4)
OBLIQUE[:2, :2] = [[-np.cos(ANGLE), np.sin(ANGLE)], [np.sin(ANGLE), np.cos(ANGLE)]]  # left-handed
OBLIQUE[:3, :3] *= [1.5, 1.5, 6.0]
OBLIQUE[:3, 3] = [10.5, -20.25, 30.125]


def test_volumes_come_back_as_they_were_and_the_folder_goes():
    generator = np.random.default_rng(0)
    volumes = {
        "dwi": Volume(generator.random((3, 5, 4), np.float32), OBLIQUE),
        "brain": Volume(generator.random((3, 5, 4)) > 0.5, OBLIQUE),
    }
    with JobFolder() as folder:
        paths = folder.put(volumes)
        for role, volume in volumes.items():
            found = read_image(paths[role])
            assert np.array_equal(found.array, volume.array.astype(np.float32))
            assert found.same_grid(volume)
        assert sorted(p.name for p in folder.path.iterdir()) == ["brain.nrrd", "dwi.nrrd"]
    assert not folder.path.exists()


def test_no_place_for_the_folder(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    with pytest.raises(StrokeError, match="make the job's folder"):
        JobFolder()


@pytest.mark.skipif(os.name != "posix", reason="the limit on a file's size, which stands for a full disk, is POSIX's")
def test_a_full_disk_leaves_nothing(tmp_path):
    code = (
        "import resource, signal, sys, numpy\n"
        "from pathlib import Path\n"
        "from StrokePredictLib.errors import StrokeError\n"
        "from StrokePredictLib.job_folder import write_uncompressed\n"
        "from StrokePredictLib.volume import Volume\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "try:\n"
        "    write_uncompressed(Path(sys.argv[1]) / 'a.nrrd', Volume(numpy.ones((20, 64, 64), 'f'), numpy.eye(4)))\n"
        "except StrokeError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=environment(), capture_output=True, text=True, check=True
    )
    assert "disk is full" in done.stdout
    assert list(tmp_path.iterdir()) == []
