"""Who trains, who chooses the best epoch, who tests: parts in which no person stands twice, by construction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictLib.io.output import write_text

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Fold:
    """One fold: identifiers of patients, sorted.

    Raises
    ------
    StrokeError
        If a patient stands in two parts, or twice in one.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        for part in PARTS:
            object.__setattr__(self, part, tuple(getattr(self, part)))
        _require_apart({part: getattr(self, part) for part in PARTS}, {})


@dataclass(frozen=True)
class Splits:
    """All folds of a run, and the patients kept out of them.

    Attributes
    ----------
    scheme : str
        As asked for (`StrokeTrainLib.cohort.splits.make_splits`).
    seed : int
        Where the randomness started.
    folds : tuple of Fold
        Everybody who may be tested is tested in exactly one of them (in one, of one fold: in at most one).
    calibration : tuple of str
        For conformal calibration alone.
    locked : tuple of str
        The locked test set: opened once, when nothing changes any more.
    train_only : tuple of str
        Patients who may train and nothing else.
    persons : dict of str to str
        By identifier who it is, for records of one person under several names.
    notes : tuple of str
        What a reader should know of the balance.

    Raises
    ------
    StrokeError
        If a person is in two parts of a fold, in the test parts of two folds, in a fold and kept out of it, or tested
        though for training only.
    """

    scheme: str
    seed: int
    folds: tuple[Fold, ...]
    calibration: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    train_only: tuple[str, ...] = ()
    persons: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("folds", "calibration", "locked", "train_only", "notes"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not self.folds:
            raise StrokeError("a split without folds: nothing would be trained.")
        kept_out = {"calibration": self.calibration, "locked": self.locked}
        for fold in self.folds:
            _require_apart({part: getattr(fold, part) for part in PARTS} | kept_out, self.persons)
        _require_apart({f"test of fold {n}": fold.test for n, fold in enumerate(self.folds, 1)}, self.persons)
        self._require_training_alone()

    def _require_training_alone(self) -> None:
        barred = {self.person(identifier) for identifier in self.train_only}
        elsewhere = {"calibration": self.calibration, "locked": self.locked}
        for number, fold in enumerate(self.folds, 1):
            elsewhere |= {f"test of fold {number}": fold.test, f"validation of fold {number}": fold.validation}
        for part, identifiers in elsewhere.items():
            wrong = next((i for i in identifiers if self.person(i) in barred), None)
            if wrong is not None:
                raise StrokeError(f"{wrong}: has the role train-only and may not stand in the part '{part}'.")

    def person(self, identifier: str) -> str:
        """Return who a record is of."""
        return self.persons.get(identifier, identifier)

    def fold_of_test(self, identifier: str) -> int | None:
        """Return the index in `folds` of the fold that tests a patient; None where none does."""
        return next((n for n, fold in enumerate(self.folds) if identifier in fold.test), None)

    def to_json(self) -> str:
        """Return the splits as JSON text; `from_json` reads it back."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, source: str = "splits") -> Splits:
        """Read what `to_json` wrote; `source` is what a message names.

        Raises
        ------
        StrokeError
            If it is no such text, or would let a person stand in two parts.
        """
        try:
            content = json.loads(text)
            folds = tuple(Fold(*(_names(fold[part]) for part in PARTS)) for fold in content.pop("folds"))
            lists = {name: _names(content.pop(name, ())) for name in ("calibration", "locked", "train_only", "notes")}
            return cls(folds=folds, **lists, **content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StrokeError(f"{source}: holds no splits ({' '.join(str(error).split())}); make them anew.") from error

    def save(self, path: Path | str) -> None:
        """Write the splits, whole or not at all."""
        write_text(path, self.to_json())

    @classmethod
    def load(cls, path: Path | str) -> Splits:
        """Read the splits of a file; `StrokeError` as `from_json`."""
        return cls.from_json(json.dumps(read_json_object(path, "make the splits anew")), str(path))


def check_classes(splits: Splits, positive: Mapping[str, bool], what: str = "a lesion") -> list[str]:
    """Say which parts hold one class only.

    Parameters
    ----------
    splits : Splits
        To be checked.
    positive : mapping of str to bool
        By patient, whether there is something to find.
    what : str
        What a positive has, in words.

    Returns
    -------
    list of str
        A sentence for every validation or test part without a positive: its scores say nothing of `what`.

    Raises
    ------
    StrokeError
        If no patient is positive, or a training part has none: there is nothing to learn.
    """
    if not any(positive.values()):
        raise StrokeError(f"none of the {len(positive)} patients has {what}: one class only, nothing can be learnt.")
    told = []
    for number, fold in enumerate(splits.folds, 1):
        for part in PARTS:
            identifiers = getattr(fold, part)
            if any(positive.get(identifier, False) for identifier in identifiers):
                continue
            said = f"fold {number}: none of the {len(identifiers)} patients of its {part} part has {what}"
            if part == "train":
                raise StrokeError(f"{said}: nothing can be learnt; choose fewer folds or another seed.")
            told.append(f"{said}; its scores there say little.")
    return told


def _require_apart(parts: Mapping[str, Iterable[str]], persons: Mapping[str, str]) -> None:
    """Raise `StrokeError` where a person stands in two parts, or an identifier twice in one."""
    seen: dict[str, tuple[str, str]] = {}
    for part, identifiers in parts.items():
        here: set[str] = set()
        for identifier in identifiers:
            if identifier in here:
                raise StrokeError(f"{identifier}: stands twice in the part '{part}'.")
            here.add(identifier)
            person = persons.get(identifier, identifier)
            known = seen.setdefault(person, (part, identifier))
            if known[0] != part:
                same = f" as {known[1]}, the same person" if known[1] != identifier else ""
                raise StrokeError(f"{identifier}: stands in the part '{part}' and{same} in '{known[0]}'.")


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise ValueError("a list of names is needed")
    return tuple(value)
