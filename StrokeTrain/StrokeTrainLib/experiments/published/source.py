"""A published table as data: every cell as printed, so that a test can find it in the paper's text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """Where numbers are from.

    Attributes
    ----------
    key : str
        Short name, also of the text file that the tests look into.
    citation : str
        As in a list of references.
    """

    key: str
    citation: str


@dataclass(frozen=True)
class Quote:
    """Numbers of the running text.

    Attributes
    ----------
    text : str
        As printed, spaces and line breaks aside.
    place : str
        Where.
    """

    text: str
    place: str


@dataclass(frozen=True)
class Footnote:
    """A contradiction or an omission in a paper.

    Attributes
    ----------
    text : str
        What a reader must know.
    quotes : tuple of str
        Passages that show it, as printed.
    """

    text: str
    quotes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes
    ----------
    key : str
        What the experiment calls it.
    group : str
        The table's part, such as the patients it was measured on.
    label : str
        As printed.
    cells : tuple of str
        As printed, in the order of the columns; empty where the table has none.
    notes : tuple of str
        Keys of the table's footnotes.
    anchor : str or None
        What stands before the cells in the paper's text; the label if left out.
    """

    key: str
    group: str
    label: str
    cells: tuple[str, ...]
    notes: tuple[str, ...] = ()
    anchor: str | None = None

    @property
    def printed(self) -> str:
        """The row as the paper's text has it."""
        lead = self.label if self.anchor is None else self.anchor
        return " ".join(cell for cell in (lead, *self.cells) if cell)


@dataclass(frozen=True)
class PublishedTable:
    """A table of a paper.

    Attributes
    ----------
    paper : Paper
        Whose.
    place : str
        As ``"Table 2"``.
    title : str
        What it shows.
    columns : tuple of str
        As printed.
    rows : tuple of Row
        In its order.
    statistic : str
        What a cell holds, as ``"median (IQR)"``.
    footnotes : dict of str to Footnote
        By key.
    quotes : dict of str to Quote
        Numbers of the text that belong to it.
    """

    paper: Paper
    place: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    statistic: str
    footnotes: dict[str, Footnote]
    quotes: dict[str, Quote]

    def row(self, key: str) -> Row:
        """Return a row by key; `KeyError` where there is none."""
        for row in self.rows:
            if row.key == key:
                return row
        raise KeyError(key)
