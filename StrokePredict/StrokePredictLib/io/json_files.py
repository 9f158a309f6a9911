"""JSON files that other programs, or people, may have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import StrokeError


def read_json_object(path: Path | str, advice: str = "restore or remove it") -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Parameters
    ----------
    path : path-like
        The file.
    advice : str
        What the user can do where it cannot be used.

    Raises
    ------
    StrokeError
        If it is missing, unreadable, no JSON, or holds something else than an object.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StrokeError(f"{path}: is no readable JSON ({' '.join(str(error).split())}); {advice}.") from error
    if not isinstance(content, dict):
        raise StrokeError(f"{path}: holds a JSON {type(content).__name__}, an object is needed; {advice}.")
    return content
