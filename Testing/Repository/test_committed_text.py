"""No committed file names a folder of somebody's machine, a package host, or a secret."""

from pathlib import Path

import pytest
from support.committed_text import committed_files, faults

ROOT = Path(__file__).resolve().parents[2]


def test_committed_files_are_clean():
    files = committed_files(ROOT)
    if not files:
        pytest.skip("not a git clone: there is no list of committed files")
    assert [fault for path in files for fault in faults(path, ROOT)] == []


@pytest.mark.parametrize(
    "line",
    [
        "open('/ho" + "me/ann/data/dwi.nii.gz')",
        "at /ro" + "ot/devenv",
        'folder = "/wo' + 'rk/main"',
        "see /Us" + "ers/ann/x",
        "index-url = https://py" + "pi.org/simple",
        "https://download.py" + "torch.org/whl/cpu",
        "key: -----BEGIN RSA PRIVATE" + " KEY-----",
    ],
)
def test_a_wrong_line_is_found(tmp_path, line):
    (tmp_path / "notes.md").write_text(f"fine\n{line}\n")
    (fault,) = faults(tmp_path / "notes.md", tmp_path)
    assert fault.startswith("notes.md:2: ")


@pytest.mark.parametrize(
    "line", ["docs/home/index.md", "`./stroke demo -o OUT`", "/usr/bin/env", "the work/root ratio"]
)
def test_a_right_line_is_let_pass(tmp_path, line):
    (tmp_path / "notes.md").write_text(line)
    assert faults(tmp_path / "notes.md", tmp_path) == []
