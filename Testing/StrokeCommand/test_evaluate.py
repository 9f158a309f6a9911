"""``stroke evaluate`` as a user calls it."""

import json

import pytest
from support.command_line import assert_one_line
from support.small_cohort import write_cohort
from support.small_run import write_run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    base = tmp_path_factory.mktemp("command")
    write_cohort(base / "cohort", 6)
    write_run(base / "run", base / "cohort")
    return base


def test_a_run_is_evaluated(stroke, made, tmp_path):
    done = stroke(
        "evaluate", "--data", made / "cohort", "--run", made / "run", "-o", tmp_path / "out", "--workers", 1,
        "--rules", "adc", "--subgroups", "none", "--cache", tmp_path / "cache", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["scored"] == 6
    for name in ("metrics.csv", "summary.json", "report.html", "figures/bland-altman.pdf", "tables/volumes.csv"):
        assert (tmp_path / "out" / name).is_file()
    assert set(result["summary"]["methods"]) == {"debs2021-early", "adc"}


def test_mistakes_are_one_line(stroke, made, tmp_path):
    out = ("-o", tmp_path / "out")
    assert_one_line(stroke("evaluate", "--data", made / "cohort", *out), "--run", "--model")
    done = stroke("evaluate", "--data", made / "cohort", "--run", made / "run", "--subgroups", "moon", *out)
    assert_one_line(done, "moon", "vendor")
