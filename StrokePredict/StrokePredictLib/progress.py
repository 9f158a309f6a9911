"""How long work tells where it is."""

from collections.abc import Callable

#: Called with the fraction done (0 to 1) and a few words.
Progress = Callable[[float, str], None]


def silent(fraction: float, message: str) -> None:
    """Say nothing."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """Return a progress that maps 0..1 of a sub-task onto ``start``..``end`` of the whole."""

    def report(fraction: float, message: str) -> None:
        progress(start + (end - start) * fraction, message)

    return report
