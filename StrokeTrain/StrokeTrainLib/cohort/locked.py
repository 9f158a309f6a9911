"""A cohort's locked test set: drawn once, kept in the cohort's folder, in no split until it is opened for a reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictLib.io.output import write_text

from .select import select
from .splits import draw
from .table import Cohort

NAME = "locked-test-set.json"
#: Of the file; one of another is refused.
FORMAT = 1
_RESTORE = "restore it; a locked test set cannot be made anew"


@dataclass(frozen=True)
class Opening:
    """When, by whom and why a locked test set was opened."""

    date: str
    by: str
    reason: str


@dataclass(frozen=True)
class LockedSet:
    """The patients that are kept for one last test.

    Attributes
    ----------
    patients, persons : tuple of str
        Identifiers, and who they are: later records of the same persons are kept out as well.
    share : float
        That was asked for.
    seed : int
        Of the drawing.
    target : str
        Whoever had this label could be drawn.
    date, by : str
        When and by whom it was locked.
    openings : tuple of Opening
        Empty as long as nothing was tested on it.
    """

    patients: tuple[str, ...]
    persons: tuple[str, ...]
    share: float
    seed: int
    target: str
    date: str
    by: str = ""
    openings: tuple[Opening, ...] = ()

    @property
    def closed(self) -> bool:
        """Whether its patients stand in no split."""
        return not self.openings

    @property
    def kept_out(self) -> frozenset[str]:
        """Identifiers and persons that no split may hold."""
        return frozenset((*self.patients, *self.persons)) if self.closed else frozenset()

    def words(self) -> str:
        """Return in a sentence what it is."""
        said = f"{len(self.patients)} patients locked on {self.date[:10]}" + (f" by {self.by}" if self.by else "")
        if self.closed:
            return f"{said}: in no split."
        first = self.openings[0]
        whom = f" by {first.by}" if first.by else ""
        return f"{said}; opened on {first.date[:10]}{whom}: {first.reason.rstrip('.')}."


def read_locked(root: Path | str) -> LockedSet | None:
    """Return a cohort's locked test set; None where there is none.

    Raises
    ------
    StrokeError
        If the file cannot be understood: training on its patients would be worse than not training.
    """
    path = Path(root) / NAME
    if not path.is_file():
        return None
    content = read_json_object(path, _RESTORE)
    try:
        if content.pop("format") != FORMAT:
            raise ValueError("another version's")
        openings = tuple(Opening(**opening) for opening in content.pop("openings"))
        names = {key: tuple(str(name) for name in content.pop(key)) for key in ("patients", "persons")}
        return LockedSet(**names, openings=openings, **content)
    except (KeyError, TypeError, ValueError) as error:
        raise StrokeError(f"{path}: holds no locked test set ({error}); {_RESTORE}.") from error


def kept_out(root: Path | str) -> frozenset[str]:
    """Return the identifiers and persons of a cohort that no split may hold."""
    found = read_locked(root)
    return found.kept_out if found is not None else frozenset()


def lock(
    cohort: Cohort,
    share: float,
    seed: int = 0,
    *,
    target: str = "final-infarct",
    by: str = "",
    volumes: Mapping[str, float] | None = None,
) -> LockedSet:
    """Draw a locked test set, balanced as splits are, and write it into the cohort's folder.

    Parameters
    ----------
    cohort : Cohort
        From which; those with the label who may be tested can be drawn.
    share : float
        Of those, above 0 and at most 0.5.
    seed : int
        Same seed and patients, same set.
    target : str
        ``"acute-core"`` or ``"final-infarct"``.
    by : str
        Who locks.
    volumes : mapping of str to float, optional
        Lesion in mL, to balance by.

    Raises
    ------
    StrokeError
        If there is one already, opened or not, the share draws nobody, or the folder cannot be written.
    """
    before = read_locked(cohort.root)
    if before is not None:
        raise StrokeError(f"{cohort.root / NAME}: {before.words()} A test set is locked once.")
    if not 0 < share <= 0.5:
        raise StrokeError(f"share {share:g} of the locked test set: above 0 and at most 0.5 is needed.")
    found = select(cohort, (), target, measure=False)
    able = [patient for patient in found.kept if patient.role != "train-only"]
    names = draw(able, share, seed, volumes=volumes)
    if not names or len(names) == len(able):
        raise StrokeError(f"{cohort.root}: a share of {share:.0%} of {len(able)} patients locks {len(names)}.")
    persons = sorted({cohort[name].person for name in names})
    made = LockedSet(names, tuple(persons), share, seed, target, _now(), by.strip())
    _write(cohort.root, made)
    return made


def open_locked(root: Path | str, reason: str, *, by: str = "") -> LockedSet:
    """Open a locked test set; who, when and why stays in its file.

    Raises
    ------
    StrokeError
        If there is none, no reason is given, or the folder cannot be written.
    """
    found = read_locked(root)
    if found is None:
        raise StrokeError(f"{root}: has no locked test set.")
    said = " ".join(reason.split())
    if not said:
        raise StrokeError("opening the locked test set needs a reason; it is recorded.")
    opened = replace(found, openings=(*found.openings, Opening(_now(), by.strip(), said)))
    _write(root, opened)
    return opened


def _write(root: Path | str, made: LockedSet) -> None:
    content: dict[str, Any] = {"format": FORMAT, **asdict(made)}
    write_text(Path(root) / NAME, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
