"""Tables of text in a panel: as high as their rows, so that nothing scrolls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import qt


def show_rows(
    table: Any, headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), stretch: int = 0
) -> None:
    """Fill a QTableWidget.

    Parameters
    ----------
    table : QTableWidget
        What to fill.
    headers : sequence of str
        Column titles.
    rows : sequence of sequences of str
        Cells.
    right : sequence of int
        Columns of numbers.
    stretch : int
        Column that takes the room left.
    """
    table.setColumnCount(len(headers))
    table.setHorizontalHeaderLabels(list(headers))
    table.setRowCount(len(rows))
    table.verticalHeader().setVisible(False)
    table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
    table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
    table.setVerticalScrollBarPolicy(qt.Qt.ScrollBarAlwaysOff)
    table.setHorizontalScrollBarPolicy(qt.Qt.ScrollBarAlwaysOff)
    table.setWordWrap(False)
    table.verticalHeader().setDefaultSectionSize(22)
    for row, cells in enumerate(rows):
        for column, text in enumerate(cells):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(text)
            if column in right:
                item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
            table.setItem(row, column, item)
    header = table.horizontalHeader()
    for column in range(len(headers)):
        mode = qt.QHeaderView.Stretch if column == stretch else qt.QHeaderView.ResizeToContents
        header.setSectionResizeMode(column, mode)
    fit_height(table)


def fit_height(table: Any) -> None:
    """Make a table as high as its rows."""
    height = table.horizontalHeader().sizeHint.height()
    for row in range(table.rowCount):
        height += table.rowHeight(row)
    table.setFixedHeight(height + 4)


def as_text(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as text with tabs, as spreadsheets take it."""
    return "\n".join("\t".join(cells) for cells in [headers, *rows])
