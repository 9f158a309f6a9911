"""Models and benches on the command line."""

import json
import sys

import pytest
from support.models import make_case, write_test_bundle

from StrokeCommand.main import run
from StrokePredictLib.io.images import write_image


@pytest.fixture
def stroke(tmp_path, monkeypatch, capsys):
    """Run the command line in this process, as `stroke` does."""
    monkeypatch.setenv("STROKE_MODELS", str(tmp_path / "store"))
    monkeypatch.setenv("COLUMNS", "200")

    def command(*words, code=0):
        monkeypatch.setattr(sys, "argv", ["stroke", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            run()
        said = capsys.readouterr()
        assert (ended.value.code or 0) == code, said.err
        return said

    return command


def test_install_list_show_verify_predict_remove(stroke, tmp_path):
    source = write_test_bundle(tmp_path / "source", "debs2021", "mine", members=2)
    said = stroke("model", "install", source).out
    assert "mine: installed in" in said
    listed = {line["name"]: line for line in json.loads(stroke("model", "list", "--json").out)}
    assert listed["mine"]["installed"]
    assert listed["mine"]["networks"] == 2
    assert not listed["infarct-general"]["installed"]
    assert "mine" in stroke("model", "list").out
    assert json.loads(stroke("model", "show", "mine", "--json").out)["title"] == "Test debs2021"
    assert "every file is as listed" in stroke("model", "verify", "mine").out
    assert "installed already" in stroke("model", "install", source, code=2).err
    stroke("model", "install", source, "--replace")
    root = tmp_path / "cohort" / "raw_data"
    for number in range(2):
        (root / f"sub-{number}").mkdir(parents=True)
        for role, volume in make_case(roles=("dwi", "adc"), seed=number).volumes.items():
            name = "brain_mask" if role == "brain" else role
            write_image(root / f"sub-{number}" / f"{name}.nii.gz", volume)
    (root / "sub-1" / "dwi.nii.gz").write_bytes(b"broken")
    done = stroke("predict", root.parent, "-o", tmp_path / "out", "--model", "mine", "--device", "cpu", code=2)
    assert "1 predicted, 0 done before" in done.out
    assert "sub-1 failed" in done.err
    assert (tmp_path / "out" / "sub-0" / "mask_mine.nii.gz").is_file()
    stroke("model", "remove", "mine")
    assert "no model 'mine'" in stroke("model", "show", "mine", code=2).err
    assert "comes with the software" in stroke("model", "remove", "infarct-general", code=2).err


def test_the_inference_bench_compares_whole_with_bare(tmp_path):
    """Small and once: the whole cannot take less processor time than a tenth of its own forward pass."""
    from StrokeCommand.benchmarks import inference
    from StrokeCommand.benchmarks.models import make_bundle

    found = inference._ratio(make_bundle(tmp_path, "debs2021", (64, 64)), (4, 64, 64), 1)
    assert found["ratio"] == pytest.approx(found["whole_s"] / found["bare_s"], rel=0.2)
    assert found["cpu_ratio"] > 0.1
    assert found["batch"] >= 1
