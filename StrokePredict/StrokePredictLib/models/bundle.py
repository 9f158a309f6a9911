"""A model bundle on disk: found, verified by its hashes, and loaded without running anything in it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StrokeError
from ..provenance import sha256_of
from .card import WEIGHTS, Card
from .shipped_hashes import SHIPPED_SHA256
from .store import METADATA, SHIPPED, bundle_folders, find_bundle, shipped_bundles, user_bundles

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "METADATA",
    "SHIPPED",
    "SUMS",
    "WEIGHTS",
    "Bundle",
    "bundle_folders",
    "find_bundle",
    "open_bundle",
    "shipped_bundles",
    "user_bundles",
    "write_sums",
]

SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Bundle:
    """A verified bundle.

    Attributes
    ----------
    folder : Path
        Where it lies.
    card : Card
        What it says of itself.
    sha256 : str
        The model's identity in every result: hash of the weights; of an ensemble, hash over its members' hashes.
    """

    folder: Path
    card: Card
    sha256: str

    def load(self, member: int = 0) -> nn.Module:
        """Build the network from our own list and put the weights in; returned in evaluation mode on the CPU.

        Parameters
        ----------
        member : int
            Of an ensemble.

        Raises
        ------
        StrokeError
            If the weights do not fit the architecture that the card names, or lie in a file that is not there.
        """
        from .weights import load_network

        return load_network(self.folder, self.card, self.card.weights[member])


def open_bundle(folder: Path | str) -> Bundle:
    """Verify a bundle's files against its ``SHA256SUMS`` and read its card.

    A bundle that comes with the software must also be the one that the code knows by its hash. Only the metadata is
    read; the configuration files that MONAI's own command line would run are never parsed.

    Raises
    ------
    StrokeError
        If a file is missing, unlisted or altered, or the card breaks its schema.
    """
    folder = Path(folder)
    sums = _verify(folder)
    if folder.resolve().parent == SHIPPED and sha256_of(folder / SUMS) != SHIPPED_SHA256.get(folder.name):
        raise StrokeError(f"{folder}: is not the model that this version of the software came with; install it again.")
    card = _read_card(folder / METADATA)
    digests = [_listed_weights(folder, name, sums, card) for name in card.weights]
    identity = digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    return Bundle(folder, card, identity)


def write_sums(folder: Path) -> None:
    """Write ``SHA256SUMS`` over every other file of a bundle."""
    lines = [f"{sha256_of(folder / name)}  {name}\n" for name in _files(folder)]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def _read_card(path: Path) -> Card:
    try:
        return Card.model_validate(json.loads(path.read_text(encoding="utf-8"))["stroke"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise StrokeError(f"{path}: the model's card cannot be read ({reason}); install the model again.") from error


def _listed_weights(folder: Path, name: str, sums: dict[str, str], card: Card) -> str:
    if name not in sums:
        raise StrokeError(f"{folder / name}: is missing from the model bundle; {_where(card.weights_from)}.")
    return sums[name]


def _where(weights_from: str) -> str:
    return f"get it from {weights_from}" if weights_from else "install the model again"


def _files(folder: Path) -> list[str]:
    names = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return sorted(name for name in names if name != SUMS)


def _verify(folder: Path) -> dict[str, str]:
    sums_path = folder / SUMS
    if not sums_path.is_file():
        raise StrokeError(f"{folder}: is no model bundle ({SUMS} is missing).")
    try:
        pairs = [line.split("  ", 1) for line in sums_path.read_text(encoding="utf-8").splitlines() if line.strip()]
        listed = {name: digest for digest, name in pairs}
    except (OSError, ValueError) as error:
        raise StrokeError(f"{sums_path}: cannot be read ({error}); install the model again.") from error
    present = _files(folder)
    # The metadata first: once they are known to be whole they can say where missing weights are to be had.
    for name in sorted(listed.keys() | set(present) | {METADATA}, key=lambda name: (name != METADATA, name)):
        if name not in present:
            where = _read_card(folder / METADATA).weights_from if name.startswith("models/") else ""
            raise StrokeError(f"{folder / name}: is missing from the model bundle; {_where(where)}.")
        if name not in listed:
            raise StrokeError(f"{folder / name}: is not in the bundle's {SUMS}; install the model again.")
        if sha256_of(folder / name) != listed[name]:
            raise StrokeError(f"{folder / name}: was altered (its SHA-256 is not the listed one); install it again.")
    return listed
