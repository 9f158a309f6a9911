"""What Slicer's process and the worker say to each other: one JSON object a line.

To the worker, a job: ``{"id", "job", "parameters", "folder"}``; end of input ends it. From the worker, events:
``ready`` (with its pid), ``warm``, ``progress``, ``log``, ``done`` (with the path of a manifest) and ``error``.
Imports nothing that Slicer's own Python lacks.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .errors import StrokeError

VERSION = 1
MANIFEST = "manifest.json"


def encode(message: dict[str, Any]) -> str:
    """Return a message as one line."""
    return json.dumps(message, ensure_ascii=True, default=_plain) + "\n"


def decode(line: str) -> dict[str, Any]:
    """Return the message of a line.

    Raises
    ------
    ValueError
        If it is no JSON object.
    """
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("a message is a JSON object")
    return message


def manifest(identity: str, job: str, result: dict[str, Any]) -> dict[str, Any]:
    """Return what a job leaves beside its files: its result, and the size of each file that it names."""
    files = [{"path": str(path), "bytes": Path(path).stat().st_size} for path in result.get("files", [])]
    return {"id": identity, "job": job, "files": files, "result": result}


def read_manifest(path: Path | str, identity: str) -> dict[str, Any]:
    """Return a job's result: it counts only with a whole manifest and every file of the size that it says.

    Raises
    ------
    StrokeError
        If something is missing or of another job.
    """
    path = Path(path)
    try:
        content = decode(path.read_text(encoding="utf-8"))
        files, result = content["files"], content["result"]
        whole = content["id"] == identity and all(Path(f["path"]).stat().st_size == f["bytes"] for f in files)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StrokeError(f"{path}: the job's result is not whole ({error}); run it again.") from error
    if not whole:
        raise StrokeError(f"{path}: the job's result is not whole; run it again.")
    return result


def _plain(value: Any) -> Any:
    """Return paths and NumPy's numbers as JSON has them."""
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} does not go into JSON")
