"""Write the hashes of the bundles that come with the software into the code.

Run ``python -m StrokePredictLib.models.shipped`` after a shipped bundle was made anew. A test compares.
"""

from __future__ import annotations

from pathlib import Path

from ..io.output import write_text
from ..provenance import sha256_of
from .store import shipped_bundles

TARGET = Path(__file__).with_name("shipped_hashes.py")
SUMS = "SHA256SUMS"


def hashes() -> dict[str, str]:
    """Return the SHA-256 of every shipped bundle's ``SHA256SUMS``, which covers all its other files."""
    return {folder.name: sha256_of(folder / SUMS) for folder in shipped_bundles()}


def source(found: dict[str, str]) -> str:
    """Return the text of ``shipped_hashes.py``."""
    lines = "".join(f'    "{name}": "{digest}",\n' for name, digest in sorted(found.items()))
    return (
        '"""Which bundles this version of the software comes with; written by `StrokePredictLib.models.shipped`."""\n\n'
        "#: Bundle name → SHA-256 of its ``SHA256SUMS``.\n"
        f"SHIPPED_SHA256: dict[str, str] = {{\n{lines}}}\n"
    )


if __name__ == "__main__":
    write_text(TARGET, source(hashes()))
