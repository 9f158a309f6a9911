"""The flow of patients (STARD 2015, item 19): how many were there, who left and why, how many stayed."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any


@dataclass(frozen=True)
class Flow:
    """Counts of a flow diagram.

    Attributes
    ----------
    assessed : int
        Patients at the top.
    excluded : tuple of (str, int)
        Boxes at the side in their order; those without anybody too.
    groups : dict of str to int
        Boxes at the bottom, which sum up to those included.

    Raises
    ------
    ValueError
        If the numbers do not add up.
    """

    assessed: int
    excluded: tuple[tuple[str, int], ...] = ()
    groups: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.included < 0 or any(count < 0 for _, count in self.excluded):
            raise ValueError("more patients leave than came")
        if self.groups and sum(self.groups.values()) != self.included:
            raise ValueError(f"groups sum up to {sum(self.groups.values())}, included are {self.included}")

    @property
    def included(self) -> int:
        """How many stayed."""
        return self.assessed - sum(count for _, count in self.excluded)

    def record(self) -> dict[str, Any]:
        """Return the counts as they go into a file."""
        excluded = [{"reason": title, "patients": count} for title, count in self.excluded]
        return {"assessed": self.assessed, "excluded": excluded, "included": self.included, "groups": dict(self.groups)}

    def text(self) -> str:
        """Return the diagram in lines of text."""
        lines = [f"Patients assessed: {self.assessed}"]
        lines += [f"  − {title}: {count}" for title, count in self.excluded if count]
        lines.append(f"Patients included: {self.included}")
        lines += [f"  {name}: {count}" for name, count in self.groups.items()]
        return "\n".join(lines)

    def svg(self) -> str:
        """Return the diagram as one SVG image, 720 units wide, for a page or a file."""
        return _Drawing(self).text()


_LEFT, _SIDE, _LINE = 30, 360, 17
_STYLE = 'font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#1a1a1a"'


#: Spaces that neither break a line nor collapse in SVG.
_SPACE = "\N{NO-BREAK SPACE}"
_INDENT = 3 * _SPACE


class _Drawing:
    """Boxes from top to bottom, those who leave to the right of the stem."""

    def __init__(self, flow: Flow) -> None:
        self.flow, self.parts, self.y = flow, [], 14

    def text(self) -> str:
        flow = self.flow
        self.box(_LEFT, 260, [f"Patients assessed {_number(flow.assessed)}"])
        out = [(title, count) for title, count in flow.excluded if count]
        if out:
            total = sum(count for _, count in out)
            lines = [f"Excluded {_number(total)}"]
            lines += [_INDENT + line for title, count in out for line in _wrapped(f"{title} {_number(count)}", 44)]
            top = self.y
            self.box(_SIDE, 330, lines)
            middle = (top + 24 + self.y) / 2 - 12
            self.arrow(_LEFT + 130, middle, _SIDE, middle)
            self.arrow(_LEFT + 130, top, _LEFT + 130, self.y + 24)
        else:
            self.arrow(_LEFT + 130, self.y, _LEFT + 130, self.y + 24)
        self.y += 24
        self.box(_LEFT, 260, [f"Patients included {_number(flow.included)}"])
        self.bottom()
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {self.y + 14}" width="720" role="img" '
            f'aria-label="{escape(self.flow.text(), quote=True)}" {_STYLE}>'
            '<defs><marker id="flow-tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
            'orient="auto"><path d="M0 0L8 4L0 8z" fill="#444"/></marker></defs>' + "".join(self.parts) + "</svg>"
        )

    def bottom(self) -> None:
        """Draw the groups side by side below those included."""
        if not self.flow.groups:
            return
        width = min(160, (660 - 10 * (len(self.flow.groups) - 1)) / len(self.flow.groups))
        start, top = self.y, self.y + 30
        low = top
        for number, (name, count) in enumerate(self.flow.groups.items()):
            x = _LEFT + number * (width + 10)
            self.y = top
            self.box(x, width, [*_wrapped(name, int(width / 7.2)), _number(count)])
            middle = x + width / 2
            self.parts.append(_path(f"M{_LEFT + 130} {start}V{start + 12}H{middle:.0f}V{top}", tip=True))
            low = max(low, self.y)
        self.y = low

    def box(self, x: float, width: float, lines: list[str]) -> None:
        height = _LINE * len(lines) + 12
        self.parts.append(
            f'<rect x="{x:.0f}" y="{self.y:.0f}" width="{width:.0f}" height="{height}" fill="#fff" stroke="#444"/>'
        )
        for number, line in enumerate(lines):
            at = self.y + 18 + _LINE * number
            self.parts.append(f'<text x="{x + 8:.0f}" y="{at:.0f}">{escape(line)}</text>')
        self.y += height

    def arrow(self, x1: float, y1: float, x2: float, y2: float) -> None:
        self.parts.append(_path(f"M{x1:.0f} {y1:.0f}L{x2:.0f} {y2:.0f}", tip=True))


def _path(way: str, *, tip: bool) -> str:
    end = ' marker-end="url(#flow-tip)"' if tip else ""
    return f'<path d="{way}" fill="none" stroke="#444"{end}/>'


def _number(count: int) -> str:
    return f"(n = {count})".replace(" ", _SPACE)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, 8), subsequent_indent=_INDENT) or [""]


def count_groups(words: Mapping[str, str], order: tuple[str, ...]) -> dict[str, int]:
    """Return how many patients have each word, in the order given; words that nobody has are left out."""
    counts = {word: sum(1 for value in words.values() if value == word) for word in order}
    return {word: count for word, count in counts.items() if count}
