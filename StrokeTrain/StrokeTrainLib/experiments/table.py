"""A paper's table filled twice: with its own numbers and with ours."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..metrics.catalogue import METRICS
from ..statistics.describe import Description, describe
from ..statistics.values import signed
from .published import PublishedTable

PAPER, OURS = "paper", "ours"
_NONE = "–"


@dataclass(frozen=True)
class Line:
    """One line of a table.

    Attributes
    ----------
    group, label : str
        The table's part, and what the line shows.
    source : str
        `PAPER` or `OURS`.
    n : str
        Patients.
    cells : tuple of str
        In the order of the columns.
    notes : tuple of str
        Keys of footnotes.
    """

    group: str
    label: str
    source: str
    n: str
    cells: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass
class Table:
    """A table on its way to a file.

    Attributes
    ----------
    title : str
        What it is.
    columns : tuple of str
        As the paper prints them.
    lines : list of Line
        In order.
    footnotes : dict of str to str
        By key.
    """

    title: str
    columns: tuple[str, ...]
    lines: list[Line] = field(default_factory=list)
    footnotes: dict[str, str] = field(default_factory=dict)

    def add(self, group: str, label: str, source: str, n: int | str, cells: Sequence[str], *notes: str) -> None:
        """Add a line.

        Raises
        ------
        ValueError
            If it has another number of cells than the table has columns, or a footnote is not known.
        """
        if len(cells) != len(self.columns):
            raise ValueError(f"{label}: {len(cells)} cells for {len(self.columns)} columns")
        unknown = [note for note in notes if note not in self.footnotes]
        if unknown:
            raise ValueError(f"{label}: no footnote '{unknown[0]}'")
        self.lines.append(Line(group, label, source, str(n), tuple(cells), tuple(notes)))

    def csv(self) -> str:
        """Return the table as CSV; the last column holds the footnotes' text."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["table", "group", "row", "source", "n", *self.columns, "footnotes"])
        for line in self.lines:
            told = " ".join(self.footnotes[key] for key in line.notes)
            writer.writerow([self.title, line.group, line.label, line.source, line.n, *line.cells, told])
        return stream.getvalue()

    def markdown(self) -> str:
        """Return the table as Markdown, its groups in bold lines, footnotes numbered below."""
        order = list(dict.fromkeys(key for line in self.lines for key in line.notes))
        head = ["", "source", "n", *self.columns]
        rows = [f"| {' | '.join(head)} |", f"|{'|'.join(['---'] * len(head))}|"]
        group = None
        for line in self.lines:
            if line.group != group:
                group = line.group
                rows.append(f"| **{group}** |{' |' * (len(head) - 1)}")
            marks = "".join(f"[{order.index(key) + 1}]" for key in line.notes)
            label = f"{line.label} {marks}".strip()
            rows.append(f"| {' | '.join([label, line.source, line.n, *line.cells])} |".replace("<.", "&lt;."))
        notes = [f"{number}. {self.footnotes[key]}" for number, key in enumerate(order, 1)]
        return "\n".join([f"### {self.title}", "", *rows, "", *notes]).rstrip() + "\n"


def with_paper(published: PublishedTable, extra: dict[str, str] | None = None) -> Table:
    """Return an empty table of a published one's columns and footnotes, with further footnotes of ours."""
    notes = {key: note.text for key, note in published.footnotes.items()}
    return Table(f"{published.place}. {published.title}", published.columns, [], notes | (extra or {}))


def add_paper(table: Table, published: PublishedTable, keys: Iterable[str]) -> None:
    """Add the paper's own lines of these keys, as printed."""
    for key in keys:
        row = published.row(key)
        # A blank within "0. 52" is the typesetter's.
        cells = tuple(cell.replace("0. ", "0.") for cell in row.cells)
        table.add(row.group, row.label, PAPER, "", cells, *row.notes)


def median_iqr(values: Sequence[float] | np.ndarray, digits: int = 2) -> str:
    """Return ``median (quartile 1 to quartile 3)`` as Yu prints it."""
    found = describe(values)
    if not found.n:
        return _NONE
    return found.median_iqr(digits) + _of(found)


def mean_sd(values: Sequence[float] | np.ndarray, digits: int = 2) -> str:
    """Return ``mean ± SD`` as Debs prints it."""
    found = describe(values)
    if not found.n:
        return _NONE
    spread = "" if np.isnan(found.sd) else f" ± {signed(found.sd, digits)}"
    return f"{signed(found.mean, digits)}{spread}" + _of(found)


def _of(found: Description) -> str:
    """Say it where the measure is not defined for everybody."""
    return f" [n = {found.n}]" if found.missing else ""


def digits_of(key: str) -> int:
    """Return how many decimals a measure is printed with; of specificity as few as the papers have."""
    return 2 if key == "specificity" else METRICS[key].digits
