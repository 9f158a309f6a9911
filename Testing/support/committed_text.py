"""The text of the repository's committed files, and what must not stand in it."""

import re
import subprocess
from pathlib import Path

# Put together from parts, so that this file does not hold what it looks for.
_FOLDERS = ("work", "root", "home", "Users", "tmp/pytest-of")
MACHINE_PATH = re.compile(r"(?<![\w.}/~-])/(?:" + "|".join(_FOLDERS) + r")(?:-\w+)?/[\w.-]+")
_HOSTS = (r"pypi\.org", r"pythonhosted\.org", r"npmjs\.(?:org|com)", r"deb\.debian\.org", r"anaconda\.org")
PACKAGE_HOST = re.compile(r"(?:" + "|".join(_HOSTS) + r"|download\.pytorch\.org)", re.IGNORECASE)
# PyTorch's own public CPU index is asked for by name, in the launcher alone.
ALLOWED = {("StrokeTrain/StrokeCommand/launcher_setup.py", ".".join(("download", "pytorch", "org")))}
SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\bgh[pousr]_[A-Za-z0-9]{30,}|\bAKIA[0-9A-Z]{16}\b|\bhf_[A-Za-z0-9]{30,}"
)


def committed_files(root: Path) -> list[Path]:
    """Return the files that git knows, or none where this is no clone."""
    asked = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False)
    return [root / name for name in asked.stdout.split("\0") if name and (root / name).is_file()]


def faults(path: Path, root: Path) -> list[str]:
    """Return what a text file holds that it must not, one line each; other files hold none."""
    raw = path.read_bytes()
    if b"\0" in raw:
        return []
    name, said = path.relative_to(root).as_posix(), []
    for number, line in enumerate(raw.decode("utf-8", errors="replace").splitlines(), 1):
        for what, pattern in (
            ("a machine's path", MACHINE_PATH),
            ("a package host", PACKAGE_HOST),
            ("a secret", SECRET),
        ):
            found = pattern.search(line)
            if found and (name, found[0]) not in ALLOWED:
                said.append(f"{name}:{number}: {what}: {found[0]}")
    return said
