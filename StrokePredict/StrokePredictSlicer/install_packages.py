"""Installation through Slicer's own mechanisms, on the user's click alone, never at start."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection
from pathlib import Path

from slicer.i18n import tr as _


def install_missing(requirements: Path, missing: Collection[str]) -> str:
    """Install packages into Slicer's Python; return one line for the reader.

    Parameters
    ----------
    requirements : Path
        File with one requirement a line, none pinned.
    missing : collection of str
        Names of packages that are not there.

    Notes
    -----
    torch comes through the PyTorch extension, which picks the build for the GPU; where that extension is not installed
    the line says so. The rest goes through ``slicer.packaging.pip_ensure`` (5.11 on) or ``slicer.util.pip_install``.
    """
    lines = [line.strip() for line in requirements.read_text(encoding="utf-8").splitlines()]
    wanted = [line for line in lines if line and not line.startswith("#") and _name(line) in missing]
    try:
        told = _install_torch() if "torch" in missing else ""
        wanted = [line for line in wanted if _name(line) != "torch"]
        if wanted:
            _pip(wanted)
    except Exception as error:  # pip reports by many kinds of errors, and none may take the panel along
        return _("The installation failed: {error}. Nothing else was changed.").format(error=error)
    return told or _("Installed: {names}.").format(names=", ".join(_name(line) for line in wanted) or _("nothing"))


def _name(line: str) -> str:
    return line.split(">")[0].split("=")[0].split("<")[0].split("[")[0].strip()


def _install_torch() -> str:
    """Install torch through the PyTorch extension; return a line where that extension is missing."""
    if importlib.util.find_spec("PyTorchUtils") is None:
        return _("Install the extension PyTorch through the Extensions Manager first, restart Slicer, and come back.")
    import PyTorchUtils

    PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirmation=False, minimumVersion="2.4")
    return ""


def _pip(wanted: list[str]) -> None:
    if importlib.util.find_spec("slicer.packaging") is not None:
        import slicer.packaging

        slicer.packaging.pip_ensure(wanted)
    else:
        slicer.util.pip_install(" ".join(f'"{line}"' for line in wanted))
