"""The reading queue of a cohort: blinded reads, and a third reader who settles where two differ."""

from __future__ import annotations

import statistics
from typing import Any

from slicer.i18n import tr as _

from ..in_predict import open_for_reading
from .targets import TARGETS


class Reading:
    """What the group "Reading queue" of the section Cohort does.

    Parameters
    ----------
    section : CohortSection
        Whose widgets, rows and target.
    """

    def __init__(self, section: Any) -> None:
        self._section, self._panel, self._ui = section, section.panel, section.ui
        self._ui.nextButton.clicked.connect(lambda *_: self.next_unread())
        self._ui.agreementButton.clicked.connect(lambda *_: self.agreement())
        self._ui.settleButton.clicked.connect(lambda *_: self.next_dispute())

    @property
    def reader(self) -> str:
        """Who reads, as files carry it; empty where nobody is named."""
        return "".join(sign for sign in self._ui.readerEdit.text if sign.isalnum())

    def next_unread(self) -> None:
        """Open the next patient without an outline by this reader; nobody else's is shown."""
        reader, target = self._named(), self._section.target
        if not reader:
            return
        rows = self._section.rows.values()
        waiting = [row for row in rows if not _read_by(row, target, reader) and row["images"]]
        self._say(_("{reader}: {done} of {all} patients outlined ({target}).").format(
            reader=reader, done=len(rows) - len(waiting), all=len(rows), target=TARGETS[target]
        ))  # fmt: skip
        if waiting:
            self._open(waiting[0], reader, ())

    def agreement(self) -> None:
        """Show the Dice coefficients between readers."""

        def compared(result: dict[str, Any]) -> None:
            lines = [
                _("{pair}: median Dice {median:.2f} ({low:.2f} to {high:.2f}) of {count} patients").format(
                    pair=pair, median=statistics.median(values), low=min(values), high=max(values), count=len(values)
                )
                for pair, values in result["pairs"].items()
            ]
            self._say("\n".join(lines))

        parameters = {"folder": self._panel.cohort, "target": self._section.target}
        self._panel.ask(_("Agreement of readers"), "agreement", parameters, compared)

    def next_dispute(self) -> None:
        """Open the next patient whose two readers differ, with both outlines and without their names."""
        reader, target, limit = self._named(), self._section.target, float(self._ui.limitSpin.value)
        if not reader:
            return

        def found(result: dict[str, Any]) -> None:
            waiting = [name for name in result["open"] if name in self._section.rows]
            words = [_("{count} patients to settle below Dice {limit:.2f}; {settled} settled.").format(
                count=len(waiting), limit=limit, settled=result["settled"]
            )]  # fmt: skip
            if result["own"]:
                words.append(_("{count} more differ that {reader} has read: they are another’s to settle.").format(
                    count=result["own"], reader=reader
                ))  # fmt: skip
            if waiting:
                words.append(_("{patient}: readings A and B, Dice {dice:.2f}.").format(
                    patient=waiting[0], dice=result["open"][waiting[0]]["dice"]
                ))  # fmt: skip
                self._open(self._section.rows[waiting[0]], reader, result["open"][waiting[0]]["files"])
            self._say(" ".join(words))

        parameters = {"folder": self._panel.cohort, "target": target, "reader": reader, "limit": limit}
        self._panel.ask(_("Readings that differ"), "disputes", parameters, found)

    def _named(self) -> str:
        if not self.reader:
            self._panel.say_error(_("Give the reader’s name or initials first."))
        return self.reader

    def _say(self, words: str) -> None:
        self._ui.readingLabel.setText(words)

    def _open(self, row: dict[str, Any], reader: str, files: Any) -> None:
        which = row["patient"] if row["layout"] == "bids" else None
        open_for_reading(self._panel, row["folder"], which, self._panel.cohort, reader, self._section.target, files)


def _read_by(row: dict[str, Any], target: str, reader: str) -> bool:
    return any(words.split(" ")[0] == reader for words in row["labels"].get(target, []))
