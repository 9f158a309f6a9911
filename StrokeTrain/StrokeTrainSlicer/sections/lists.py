"""Long tables: sorted by a click on a title, filtered by words, quick with a thousand rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import qt

#: Rows that a table shows before it scrolls.
_ROWS_SHOWN = 12
_ROW_HEIGHT = 22


def fill_list(
    table: Any,
    headers: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    widths: Sequence[int] = (),
    shown: int = _ROWS_SHOWN,
) -> None:
    """Fill a QTableWidget with text and numbers; numbers sort as numbers, what is unknown is empty.

    Parameters
    ----------
    table : QTableWidget
        What to fill. The first column tells which row is which: sorting moves rows.
    headers : sequence of str
        Column titles.
    rows : sequence of sequences
        str, float, int or None.
    widths : sequence of int
        Of the columns in pixels; Qt's own where left out.
    shown : int
        Rows before it scrolls.
    """
    table.setUpdatesEnabled(False)
    table.blockSignals(True)
    table.setSortingEnabled(False)
    table.clearContents()
    table.setColumnCount(len(headers))
    table.setRowCount(len(rows))
    table.setHorizontalHeaderLabels(list(headers))
    table.verticalHeader().setVisible(False)
    table.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
    table.setWordWrap(False)
    table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
    table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
    table.setSelectionMode(qt.QAbstractItemView.SingleSelection)
    for row, cells in enumerate(rows):
        for column, value in enumerate(cells):
            table.setItem(row, column, _item(value))
        table.setRowHidden(row, False)
    for column, width in enumerate(widths):
        table.setColumnWidth(column, width)
    table.horizontalHeader().setStretchLastSection(True)
    table.setFixedHeight(table.horizontalHeader().sizeHint.height() + _ROW_HEIGHT * min(shown, max(2, len(rows))) + 22)
    table.setSortingEnabled(True)
    table.blockSignals(False)
    table.setUpdatesEnabled(True)


def _item(value: Any) -> Any:
    if isinstance(value, str):
        item = qt.QTableWidgetItem(value)
        if len(value) > 12:
            item.setToolTip(value)
        return item
    item = qt.QTableWidgetItem()
    if value is not None and not math.isnan(value):
        item.setData(qt.Qt.DisplayRole, value)
        item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
    return item


def text_at(table: Any, row: int, column: int = 0) -> str:
    """Return a cell's text; empty where there is none."""
    item = table.item(row, column)
    return item.text() if item is not None else ""


class Filter:
    """Which rows of a table hold all of some words.

    Parameters
    ----------
    table : QTableWidget
        Filled by `fill_list`.
    """

    def __init__(self, table: Any) -> None:
        self._table = table
        self._texts: dict[str, str] = {}

    def learn(self, texts: dict[str, str]) -> None:
        """Take in what is searched, by the text of the first column."""
        self._texts = {key: text.lower() for key, text in texts.items()}

    def apply(self, words: str) -> int:
        """Show the rows that hold all words; return how many."""
        wanted = words.lower().split()
        kept = {key for key, text in self._texts.items() if all(word in text for word in wanted)}
        table = self._table
        table.setUpdatesEnabled(False)
        for row in range(table.rowCount):
            hidden = text_at(table, row) not in kept
            if table.isRowHidden(row) != hidden:
                table.setRowHidden(row, hidden)
        table.setUpdatesEnabled(True)
        return len(kept)
