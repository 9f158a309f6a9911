"""A model bundle on disk: found, verified by its hashes, and loaded without running anything in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StrokeError
from ..provenance import sha256_of
from .card import Card

if TYPE_CHECKING:
    from torch import nn

METADATA = "configs/metadata.json"
WEIGHTS = "models/model.safetensors"
SUMS = "SHA256SUMS"
#: Bundles that come with the software.
SHIPPED = Path(__file__).resolve().parent.parent / "data" / "bundles"


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
        Hash of the weights: the model's identity in every result.
    """

    folder: Path
    card: Card
    sha256: str

    def load(self) -> nn.Module:
        """Build the network from our own list and put the weights in; returned in evaluation mode on the CPU.

        Raises
        ------
        StrokeError
            If the weights do not fit the architecture that the card names.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from ..networks import create

        network = create(self.card.network.name, **self.card.network.options)
        path = self.folder / WEIGHTS
        try:
            network.load_state_dict(load_file(path))
        except (SafetensorError, OSError) as error:
            raise StrokeError(f"{path}: is no readable safetensors file ({error}); install the model again.") from error
        except RuntimeError as error:
            raise StrokeError(f"{path}: its weights do not fit the network '{self.card.network.name}'.") from error
        return network.eval()


def open_bundle(folder: Path | str) -> Bundle:
    """Verify a bundle's files against its ``SHA256SUMS`` and read its card.

    Only the metadata is read; the configuration files that MONAI's own command line would run are never parsed.

    Raises
    ------
    StrokeError
        If a file is missing, unlisted or altered, or the card breaks its schema.
    """
    folder = Path(folder)
    sums = _verify(folder)
    path = folder / METADATA
    try:
        card = Card.model_validate(json.loads(path.read_text(encoding="utf-8"))["stroke"])
    except (OSError, KeyError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise StrokeError(f"{path}: the model's card cannot be read ({reason}); install the model again.") from error
    return Bundle(folder, card, sums[WEIGHTS])


def shipped_bundles() -> list[Path]:
    """Return the folders of the bundles that come with the software, sorted."""
    return sorted(path.parent.parent for path in SHIPPED.glob(f"*/{METADATA}"))


def find_bundle(name: str) -> Path:
    """Return the folder of a bundle by name, or of one given by its path.

    Raises
    ------
    StrokeError
        If there is none.
    """
    if Path(name, METADATA).is_file():
        return Path(name)
    names = {path.name: path for path in shipped_bundles()}
    if name not in names:
        raise StrokeError(f"no model '{name}'; there are {', '.join(names) or 'none'}, or give a bundle's folder.")
    return names[name]


def write_sums(folder: Path) -> None:
    """Write ``SHA256SUMS`` over every other file of a bundle."""
    lines = [f"{sha256_of(folder / name)}  {name}\n" for name in _files(folder)]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


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
    for name in sorted(listed.keys() | set(present) | {METADATA, WEIGHTS}):
        if name not in present:
            raise StrokeError(f"{folder / name}: is missing from the model bundle; install the model again.")
        if name not in listed:
            raise StrokeError(f"{folder / name}: is not in the bundle's {SUMS}; install the model again.")
        if sha256_of(folder / name) != listed[name]:
            raise StrokeError(f"{folder / name}: was altered (its SHA-256 is not the listed one); install it again.")
    return listed
