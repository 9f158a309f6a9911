"""Limits and methods that the reader chooses on the command line reach the rules."""

import json

import nibabel
import numpy as np

AFFINE = np.diag([2.0, 2.0, 6.0, 1.0])
SHAPE = (40, 40, 8)  # x, y, z
VOXEL_ML = 0.024


def ct_maps(folder):
    """A head of flow 50; on one side 25 % of it in 8 × 10 × 4 voxels, within 40 % of it in 10 × 20 × 6, all late."""
    folder.mkdir()
    brain, late, poor, poorest = (np.zeros(SHAPE, bool) for _ in range(4))
    brain[4:36, 4:36] = True
    late[6:18, 8:32, 1:7] = True
    poor[7:17, 10:30, 1:7] = True
    poorest[8:16, 14:24, 2:6] = True
    cbf = np.select([poorest, poor, brain], [12.5, 20.0, 50.0], 0.0)
    maps = {
        "cbf": cbf, "cbv": brain * 3.0, "tmax": np.where(late, 9.0, 1.0) * brain,
        "brain_mask": brain.astype(np.uint8), "ncct": np.where(brain, 35.0, -1000.0),
    }  # fmt: skip
    for name, array in maps.items():
        nibabel.save(nibabel.Nifti1Image(array.astype(np.float32), AFFINE), folder / f"{name}.nii.gz")
    return folder, {0.3: poorest.sum() * VOXEL_ML, 0.45: poor.sum() * VOXEL_ML}


def test_the_limit_of_relative_flow(stroke, tmp_path):
    folder, expected = ct_maps(tmp_path / "case")
    for limit, words in ((0.3, ()), (0.45, ("--rcbf-below", "0.45"))):
        done = stroke("threshold", folder, "-o", tmp_path / "out", "--json", *words)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)["volumes"]
        assert found["parameters"]["rcbf_below"] == limit
        assert abs(found["volumes_ml"]["core_cbf"] - expected[limit]) < 0.01


def test_a_method_where_nothing_will_be_deconvolved(stroke, tmp_path):
    folder, _ = ct_maps(tmp_path / "case")
    done = stroke("analyse", folder, "-o", tmp_path / "out", "--method", "vascular")
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("error: method vascular: nothing to deconvolve")
    assert "a Tmax map is there already" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_method_reaches_the_maps_and_an_unknown_one_is_one_line(stroke, tmp_path):
    from StrokePredictLib.phantom.cohort import write_cohort
    from StrokePredictLib.phantom.grid import Grid

    write_cohort(tmp_path / "cohort", 1, 0, grid=Grid(shape=(10, 48, 48), spacing=(4.4, 4.4, 13.0)))
    series = next((tmp_path / "cohort").glob("raw_data/sub-0001/ses-01/*_pwi.nii.gz"))
    case = ("--pwi", series, "-o", tmp_path / "out")  # and nothing else, so that no network runs
    done = stroke("analyse", *case, "--method", "quantum")
    assert done.returncode == 2
    assert "unknown deconvolution method quantum" in done.stderr.strip().splitlines()[-1]
    done = stroke("analyse", *case, "--method", "osvd", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out/perfusion/perfusion.json").read_text())["method"] == "osvd"
