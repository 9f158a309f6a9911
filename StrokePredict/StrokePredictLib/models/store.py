"""Where model bundles lie: with the software, and in the user's folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..errors import StrokeError

METADATA = "configs/metadata.json"
#: Bundles that come with the software.
SHIPPED = Path(__file__).resolve().parent.parent / "data" / "bundles"
#: Environment variable that names another user's folder.
FOLDER_VARIABLE = "STROKE_MODELS"


def user_folder() -> Path:
    """Return the folder of the models that the user installed; it need not exist."""
    if os.environ.get(FOLDER_VARIABLE):
        return Path(os.environ[FOLDER_VARIABLE])
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path("~/AppData/Local").expanduser())
    elif sys.platform == "darwin":
        base = Path("~/Library/Application Support").expanduser()
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path("~/.local/share").expanduser())
    return base / "StrokeInfarct" / "models"


def shipped_bundles() -> list[Path]:
    """Return the folders of the bundles that come with the software, sorted."""
    return _bundles(SHIPPED)


def user_bundles() -> list[Path]:
    """Return the folders of the bundles that the user installed, sorted."""
    return _bundles(user_folder())


def bundle_folders() -> list[Path]:
    """Return all bundles at hand: the shipped ones, then the user's."""
    return [*shipped_bundles(), *user_bundles()]


def find_bundle(name: str) -> Path:
    """Return the folder of a bundle by name, or of one given by its path.

    Raises
    ------
    StrokeError
        If there is none.
    """
    if Path(name, METADATA).is_file():
        return Path(name)
    names = {path.name: path for path in reversed(bundle_folders())}
    if name not in names:
        there = ", ".join(sorted(names)) or "none"
        raise StrokeError(f"no model '{name}'; there are {there}, or give a bundle's folder.")
    return names[name]


def _bundles(folder: Path) -> list[Path]:
    # Half-installed bundles have names that start with a dot.
    found = (path.parent.parent for path in folder.glob(f"*/{METADATA}"))
    return sorted(path for path in found if not path.name.startswith("."))
