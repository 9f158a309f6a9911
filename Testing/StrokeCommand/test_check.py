"""``stroke check``, ``cohort check`` and ``convert`` as they are typed."""

import json
import subprocess
import sys

import numpy as np
import pytest
from support.dicom_files import Place, write_classic

from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.patient import simulate_patient


@pytest.fixture
def stroke(stroke_environment):
    def run(*words):
        command = [sys.executable, "-m", "StrokeCommand", *map(str, words)]
        return subprocess.run(command, env=stroke_environment, capture_output=True, text=True, timeout=200)

    return run


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """A whole stroke protocol as classic DICOM: diffusion by b-value and a perfusion series."""
    folder = tmp_path_factory.mktemp("PACS Müller")
    patient = simulate_patient(0, grid=Grid(shape=(12, 64, 64), spacing=(3.6, 3.6, 12.0)))
    b0 = patient.volumes["b0"]
    place = Place(b0.direction, tuple(b0.spacing), tuple(b0.origin))

    def weighting(ds, t, z):
        ds.DiffusionBValue = 1000.0 * t

    pair = np.stack([b0.array, patient.volumes["dwi"].array]).astype(int)
    write_classic(folder, pair, place, number=2, description="ep2d_diff", frames=weighting)
    series = np.rint(patient.volumes["pwi"].array).astype(int)
    write_classic(folder, series, place, number=5, description="ep2d_perf", interval=1.5)
    return folder


def test_check_names_images_tasks_and_series(stroke, export):
    done = stroke("check", export)
    assert done.returncode == 0, done.stderr
    assert "ep2d_perf" in done.stdout
    assert "ready" in done.stdout
    assert "Geheim" not in done.stdout + done.stderr


def test_converted_dicom_gives_perfusion_maps(stroke, export, tmp_path):
    done = stroke("convert", export, "-o", tmp_path / "case", "--json")
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["roles"]) == {"b0", "dwi", "pwi"}
    done = stroke("perfusion", tmp_path / "case" / "pwi.nii.gz", "-o", tmp_path / "maps")
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "maps" / "perfusion.json").read_text())
    assert record["times"]["source"] == "sidecar VolumeTiming"


def test_a_mistake_is_one_line_and_exit_2(stroke, tmp_path):
    done = stroke("check", tmp_path / "nothing")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    done = stroke("convert", tmp_path, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert not (tmp_path / "out").exists()
