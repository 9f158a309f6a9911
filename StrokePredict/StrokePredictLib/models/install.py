"""A model into the user's folder, and out again."""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from ..errors import StrokeError
from ..io.output import explain
from .bundle import Bundle, open_bundle
from .store import METADATA, shipped_bundles, user_bundles, user_folder

#: No model of this field is larger; a zip that claims more is a bomb.
LARGEST_BYTES = 4 * 2**30
MOST_FILES = 200


def install(source: Path | str, *, replace: bool = False) -> Bundle:
    """Check a bundle, given as a folder or a zip, and copy it into the user's folder; whole or not at all.

    Parameters
    ----------
    source : path-like
        A bundle's folder, or a zip with a bundle at its top or in its only folder.
    replace : bool
        Whether a model of the same name makes way.

    Returns
    -------
    Bundle
        The installed one.

    Raises
    ------
    StrokeError
        If it is no bundle, is damaged, does not fit its network, or its name is taken.
    """
    source, store = Path(source), user_folder()
    if not source.exists():
        raise StrokeError(f"{source}: no such file or folder; check the name.")
    try:
        store.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".installing-", dir=store) as stage:
            copy = Path(stage) / "bundle"
            _copy(source, copy)
            bundle = open_bundle(_top(copy, source))
            for member in range(len(bundle.card.weights)):
                bundle.load(member)
            return _move(bundle, store, Path(stage) / "replaced" if replace else None)
    except OSError as error:
        raise explain(error, store, "install the model") from error


def remove(name: str) -> Path:
    """Delete a model that the user installed; return the folder that is gone.

    Raises
    ------
    StrokeError
        If there is none of that name, or it came with the software.
    """
    found = {path.name: path for path in user_bundles()}
    if name not in found:
        if name in {path.name for path in shipped_bundles()}:
            raise StrokeError(f"model '{name}' comes with the software and stays; only installed models are removed.")
        raise StrokeError(f"no installed model '{name}'; there are {', '.join(found) or 'none'}.")
    try:
        # Out of sight first, so that a half-deleted model is never found.
        hidden = found[name].rename(found[name].with_name(f".removing-{name}"))
        shutil.rmtree(hidden)
    except OSError as error:
        raise explain(error, found[name], "remove the model") from error
    return found[name]


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        if any(path.is_symlink() for path in source.rglob("*")):
            raise StrokeError(f"{source}: holds a link; a bundle is plain files.")
        if not (source / METADATA).is_file():
            raise StrokeError(f"{source}: is no model bundle ({METADATA} is missing).")
        shutil.copytree(source, target)
        return
    try:
        with zipfile.ZipFile(source) as archive:
            _check(archive, source)
            archive.extractall(target)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise StrokeError(f"{source}: is no readable zip ({error}); download it again.") from error


def _check(archive: zipfile.ZipFile, source: Path) -> None:
    """Refuse what would write outside its folder, links, and bombs, before anything is unpacked."""
    entries = archive.infolist()
    if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > LARGEST_BYTES:
        raise StrokeError(f"{source}: unpacks to more than a model can be; it was not unpacked.")
    for entry in entries:
        # orig_filename: the name as it stands in the zip, before Python mends backslashes and cuts at NUL.
        name = entry.orig_filename
        outside = PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts
        if outside or any(sign in name for sign in ("\\", ":", "\0")):
            raise StrokeError(f"{source}: names a file outside its folder ('{name}'); it was not unpacked.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise StrokeError(f"{source}: holds a link ('{name}'); it was not unpacked.")


def _top(folder: Path, source: Path) -> Path:
    """Return the bundle's folder: the unpacked one, or the only one in it."""
    if (folder / METADATA).is_file():
        return folder
    inside = list(folder.iterdir())
    if len(inside) == 1 and (inside[0] / METADATA).is_file():
        return inside[0]
    raise StrokeError(f"{source}: is no model bundle ({METADATA} is missing).")


def _move(bundle: Bundle, store: Path, replaced: Path | None) -> Bundle:
    """Move a checked bundle into the store; one of the same name goes to ``replaced``, where that is given."""
    name = bundle.card.name
    target = store / name
    if name in {path.name for path in shipped_bundles()}:
        raise StrokeError(f"model '{name}' comes with the software; give yours another name in its card.")
    if target.exists():
        if replaced is None:
            raise StrokeError(f"model '{name}' is installed already; remove it first, or replace it (--replace).")
        target.rename(replaced)
    bundle.folder.rename(target)
    return open_bundle(target)
