"""The jobs behind the panel's Publish: a run's model under a name of its own, checked, installed, or packed."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.output import explain, write_text
from StrokePredictLib.models.bundle import METADATA, Bundle, open_bundle, write_sums
from StrokePredictLib.models.card import Card
from StrokePredictLib.models.install import install
from StrokePredictLib.progress import Progress, silent

from .bundle_writer import _readme
from .training.run_folder import RunFolder

#: What a person may say anew of a model; everything else was measured.
EDITABLE = ("name", "title", "intended_use", "licence")


def card(*, run: Path | str, output: Path | str | None = None, progress: Progress = silent) -> dict[str, Any]:
    """Return what the model of a run says of itself: ``card``, ``sha256``, and ``files``, none."""
    bundle = _bundle_of(run)
    return {"files": [], "card": bundle.card.model_dump(mode="json"), "sha256": bundle.sha256}


def publish(
    *,
    run: Path | str,
    words: Mapping[str, str],
    replace: bool = False,
    output: Path | str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Install the model of a run for StrokePredict, checked as any other model is.

    Parameters
    ----------
    run : path-like
        A finished run.
    words : mapping of str to str
        `EDITABLE` words of the card.
    replace : bool
        Whether an installed model of the same name makes way.
    output : path-like, optional
        Not used.

    Returns
    -------
    dict
        ``name``, ``folder``, ``sha256``; ``files``.

    Raises
    ------
    StrokeError
        If the run has no model, a word cannot be used, or the name is taken.
    """
    with tempfile.TemporaryDirectory(prefix="publish-") as place:
        progress(0.1, "writing the card")
        renamed = _renamed(_bundle_of(run), words, Path(place))
        progress(0.4, "checking the model")
        made = install(renamed.folder, replace=replace)
    return {"files": [str(made.folder / METADATA)], "name": made.card.name, "folder": str(made.folder),
            "sha256": made.sha256}  # fmt: skip


def export(
    *,
    run: Path | str,
    words: Mapping[str, str],
    file: Path | str,
    output: Path | str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Pack the model of a run into a zip that ``stroke model install`` takes.

    Parameters
    ----------
    file : path-like
        The zip; one that is there is replaced.
    run, words, output
        See `publish`.

    Returns
    -------
    dict
        ``file``, ``files``.
    """
    file = Path(file)
    if file.suffix.lower() != ".zip":
        raise StrokeError(f"{file}: give a name that ends with .zip.")
    with tempfile.TemporaryDirectory(prefix="publish-") as place:
        made = _renamed(_bundle_of(run), words, Path(place))
        progress(0.4, "packing")
        unfinished = file.with_name(f".{file.name}.unfinished")
        try:
            with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in sorted(path for path in made.folder.rglob("*") if path.is_file()):
                    archive.write(path, Path(made.card.name) / path.relative_to(made.folder))
            unfinished.replace(file)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise explain(error, file, "write the zip") from error
    return {"files": [str(file)], "file": str(file)}


def _bundle_of(run: Path | str) -> Bundle:
    folder = RunFolder(Path(run))
    folder.read()
    if not (folder.bundle / METADATA).is_file():
        raise StrokeError(f"{folder.path}: has no model yet; it is written when the last fold is done.")
    return open_bundle(folder.bundle)


def _renamed(bundle: Bundle, words: Mapping[str, str], place: Path) -> Bundle:
    """Copy a bundle and say other words in its card; the weights, and with them its identity, stay."""
    unknown = sorted(set(words) - set(EDITABLE))
    if unknown:
        raise StrokeError(f"'{unknown[0]}' of a card cannot be changed; {', '.join(EDITABLE)} can.")
    changed = bundle.card.model_dump(mode="json") | {key: text.strip() for key, text in words.items()}
    empty = next((key for key in EDITABLE if not changed[key]), None)
    if empty:
        raise StrokeError(f"the card's {empty.replace('_', ' ')} is empty; say something.")
    try:
        new = Card.model_validate(changed)
    except ValidationError as error:
        fault = error.errors()[0]
        hint = " (small letters, digits and hyphens)" if fault["loc"] == ("name",) else ""
        raise StrokeError(f"the card's {'.'.join(map(str, fault['loc']))}: {fault['msg']}{hint}.") from error
    folder = place / new.name
    shutil.copytree(bundle.folder, folder)
    told = json.loads((folder / METADATA).read_text(encoding="utf-8"))
    told |= {"name": new.name, "task": new.title, "description": new.intended_use}
    told |= {"stroke": new.model_dump(mode="json")}
    write_text(folder / METADATA, json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    write_text(folder / "docs" / "README.md", _readme(new, str(told.get("version", "1.0.0"))))
    write_sums(folder)
    return open_bundle(folder)
