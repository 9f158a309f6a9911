"""Installation through Slicer's own mechanisms, on the user's click alone, never at start."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection
from pathlib import Path

import slicer
from slicer.i18n import tr as _

_RESOURCES = Path(__file__).resolve().parents[1] / "Resources"
#: Requirements of both modules: installed, their Resources lie in one folder; in a checkout, in two.
REQUIREMENTS = (
    _RESOURCES / "requirements.txt",
    _RESOURCES / "requirements-train.txt",
    _RESOURCES.parents[1] / "StrokeTrain" / "Resources" / "requirements-train.txt",
)

#: Would bring a torch of their own choosing, several GB, where it is not there yet.
_ON_TORCH = ("monai", "pytorch-ignite")
_WITHOUT_TORCH = _(
    "Networks need torch: install the extension PyTorch in the Extensions Manager, restart Slicer, and press Install "
    "again. Maps, thresholds and reviews work without it."
)


def wanted_lines(missing: Collection[str]) -> list[str]:
    """Return the modules' requirements, one a package, of the packages that are missing; none is pinned."""
    files = [path.read_text(encoding="utf-8") for path in REQUIREMENTS if path.is_file()]
    lines = [line.strip() for text in files for line in text.splitlines()]
    return [line for line in dict.fromkeys(lines) if line and not line.startswith("#") and _name(line) in missing]


def install_missing(missing: Collection[str]) -> str:
    """Install packages into Slicer's Python; return what became of it in a line or two for the reader.

    Parameters
    ----------
    missing : collection of str
        Names of packages that are not there.

    Notes
    -----
    torch comes through the PyTorch extension, which picks the build for the GPU; where that extension is not installed
    the line says so. The rest goes through ``slicer.packaging.pip_ensure`` (5.11 on) or ``slicer.util.pip_install``.
    """
    missing, told = set(missing), []
    try:
        if "torch" in missing and not _install_torch():
            missing -= set(_ON_TORCH)
            told.append(_WITHOUT_TORCH)
        wanted = wanted_lines(missing)
        if wanted:
            _pip(wanted)
            told.append(_("Installed: {names}.").format(names=", ".join(_name(line) for line in wanted)))
    except Exception as error:  # pip reports by many kinds of errors, and none may take the panel along
        told.append(_("The installation failed: {error}. Is there a network? Try again.").format(error=error))
    return "\n".join(told)


def _name(line: str) -> str:
    return line.split(">")[0].split("=")[0].split("<")[0].split("[")[0].strip()


def _install_torch() -> bool:
    """Install torch through the PyTorch extension; return False where there is no such extension."""
    if importlib.util.find_spec("PyTorchUtils") is None:
        return False
    import PyTorchUtils

    PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirmation=False, minimumVersion="2.4")
    return True


def _pip(wanted: list[str]) -> None:
    """Let Slicer install; it shows its progress and pip's lines."""
    if importlib.util.find_spec("slicer.packaging") is None:
        slicer.util.pip_install(" ".join(f'"{line}"' for line in wanted))
        return
    from slicer.packaging import pip_ensure

    # The reader was asked already.
    pip_ensure(wanted, prompt_install=False, requester="Stroke Predict")
