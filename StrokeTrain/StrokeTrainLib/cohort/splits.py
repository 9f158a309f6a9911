"""Patients dealt into folds: stratified, by person, deterministic whatever the order of the list."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from StrokePredictLib.errors import StrokeError

from .parts import Fold, Splits, check_classes
from .reperfusion import from_table
from .table import Patient

__all__ = ["Fold", "Splits", "check_classes", "make_splits", "parse_scheme"]

STRATA = ("reperfusion", "volume", "center", "vendor")
#: Of those who do not test, one in four validates, as in Yu's 3:1:1, where folds are too few to spare a whole one.
_VALIDATION = 0.25
#: Persons of whom two folds can be made that train, validate and test.
_FEWEST = 4


@dataclass(frozen=True)
class _Unit:
    """One person with all records; dealt as a whole."""

    person: str
    records: tuple[str, ...]
    stratum: tuple[str, ...]


def make_splits(
    patients: Sequence[Patient],
    scheme: str,
    seed: int,
    *,
    stratify: Sequence[str] = ("reperfusion", "volume", "center"),
    volumes: Mapping[str, float] | None = None,
    locked: float = 0.0,
    calibration: float = 0.0,
    train_only: Collection[str] = (),
    excluded: Sequence[str] = (),
    kept_out: Collection[str] = (),
) -> Splits:
    """Split patients for training.

    Persons are sorted by stratum, shuffled within it, and dealt one after the other to the part that lacks most, so
    that every part gets its share of each stratum, and where a stratum is too small for that, of the coarser one that
    leaves out the last word of `stratify`, and so on.

    Parameters
    ----------
    patients : sequence of Patient
        In any order.
    scheme : str
        ``"K-fold"``: K test sets; the next set validates and K − 2 train (Yu's 3:1:1 of 5, Mittermeier's 8:1:1 of 10);
        of fewer than 5 folds a quarter of those who do not test validates. ``"80-10-10"``: one fold of these shares.
    seed : int
        Same seed and patients, same splits.
    stratify : sequence of {"reperfusion", "volume", "center", "vendor"}
        What is balanced, the most important first. Reperfusion is Debs', else Yu's; volume is the lesion's tertile.
    volumes : mapping of str to float, optional
        Lesion in mL by patient; without it volume is not balanced.
    locked, calibration : float
        Shares (0 to below 1) of those who may be tested that are kept out of every fold: the locked test set, and the
        patients for conformal calibration.
    train_only : collection of str
        Further patients who may only train: those whom a model to start from has seen, for one.
    excluded : sequence of str
        Why others were left out before; the message of too few says how many, and the first reason.
    kept_out : collection of str
        Identifiers and persons of the cohort's own locked test set (`locked.kept_out`): they are the locked set of
        these splits, whatever share is asked for.

    Raises
    ------
    StrokeError
        If scheme or shares are not usable, or there are too few patients.
    """
    wrong = [key for key in stratify if key not in STRATA]
    if wrong:
        raise StrokeError(f"cannot stratify by '{wrong[0]}'; there are {', '.join(STRATA)}.")
    for name, share in (("locked", locked), ("calibration", calibration)):
        if not 0.0 <= share < 1.0 or locked + calibration >= 1.0:
            raise StrokeError(f"{name} share is {share:g}; shares from 0 to below 1 are needed, below 1 together.")
    kind, count = parse_scheme(scheme)
    units = _units(patients, stratify, volumes)
    barred = {patient.person for patient in patients if patient.role == "train-only" or patient.id in train_only}
    sealed = {patient.person for patient in patients if kept_out and {patient.id, patient.person} & {*kept_out}}
    free = [unit for unit in units if unit.person not in barred | sealed]
    always = [unit for unit in units if unit.person in barred - sealed]
    rng = np.random.default_rng([seed, 20210])
    locked = 0.0 if sealed else locked
    kept, calibrating, rest = _deal(free, (locked, calibration, 1.0 - locked - calibration), rng)
    kept += [unit for unit in units if unit.person in sealed]
    others = ((always, "train only"), (kept + calibrating, "are kept out"))
    words = [f"{len(group)} {what}" for group, what in others if group]
    told = (f" ({', '.join(words)})" if words else "") + _left_out(excluded)
    if len(rest) < count:
        few = f"{scheme}: too few persons may be tested, {len(rest)} where {count} are needed"
        raise StrokeError(f"{few}; {_advice(kind, count, len(rest))}{told}.")
    folds = _folds(rest, count, rng) if kind == "folds" else [_shares(rest, rng)]
    made = tuple(Fold(_ids(train + always), _ids(validation), _ids(test)) for train, validation, test in folds)
    if any(not part for fold in made for part in (fold.train, fold.validation, fold.test)):
        few = f"{scheme}: too few persons may be tested, {len(rest)}"
        raise StrokeError(f"{few}: a part would be empty; {_advice(kind, count, len(rest))}{told}.")
    return Splits(
        scheme=scheme,
        seed=seed,
        folds=made,
        calibration=_ids(calibrating),
        locked=_ids(kept),
        train_only=_ids(always),
        persons={p.id: p.person for p in sorted(patients, key=lambda p: p.id) if p.person != p.id},
        notes=_notes(rest, count, stratify, volumes),
    )


def draw(
    patients: Sequence[Patient],
    share: float,
    seed: int,
    *,
    stratify: Sequence[str] = ("reperfusion", "volume", "center"),
    volumes: Mapping[str, float] | None = None,
) -> tuple[str, ...]:
    """Return the identifiers of a share of the patients, balanced as in `make_splits`; persons are not parted."""
    rng = np.random.default_rng([seed, 20211])
    return _ids(_deal(_units(patients, stratify, volumes), (share, 1.0 - share), rng)[0])


def parse_scheme(scheme: str) -> tuple[str, int]:
    """Return ``("folds", K)``, or ``("shares", 10)`` for 80-10-10.

    Raises
    ------
    StrokeError
        If it is neither.
    """
    if scheme == "80-10-10":
        return "shares", 10
    match = re.fullmatch(r"([0-9]{1,4})-fold", scheme)
    if not match or int(match[1]) < 2:
        raise StrokeError(f"unknown split '{scheme}'; there are 5-fold, 10-fold, K-fold for K ≥ 2, and 80-10-10.")
    return "folds", int(match[1])


def _units(patients: Sequence[Patient], keys: Sequence[str], volumes: Mapping[str, float] | None) -> list[_Unit]:
    """Return the persons, sorted by name: whatever the order of the list was."""
    ids = [patient.id for patient in patients]
    if len(set(ids)) != len(ids):
        raise StrokeError(
            f"{sorted({i for i in ids if ids.count(i) > 1})[0]}: stands twice among the patients to split."
        )
    limits = np.quantile([volumes[i] for i in ids if i in volumes] or [0.0], (1 / 3, 2 / 3)) if volumes else None
    grouped: dict[str, list[Patient]] = {}
    for patient in sorted(patients, key=lambda patient: patient.id):
        grouped.setdefault(patient.person, []).append(patient)
    return [
        _Unit(person, tuple(p.id for p in records), tuple(_word(records[0], key, volumes, limits) for key in keys))
        for person, records in sorted(grouped.items())
    ]


def _word(patient: Patient, key: str, volumes: Mapping[str, float] | None, limits: np.ndarray | None) -> str:
    if key == "reperfusion":
        found = from_table(patient)
        return found.debs if found.debs != "unknown" else found.yu
    if key == "volume":
        if limits is None or patient.id not in volumes:
            return ""
        return str(int(np.searchsorted(limits, volumes[patient.id])))
    return str(patient.facts.get(key) or "")


def _deal(units: Sequence[_Unit], shares: Sequence[float], rng: np.random.Generator) -> list[list[_Unit]]:
    """Deal units into parts of given shares (which sum to 1), each part its share of every stratum."""
    order = [units[i] for i in rng.permutation(len(units))]
    order.sort(key=lambda unit: unit.stratum)  # stable: stays shuffled within a stratum
    parts: list[list[_Unit]] = [[] for _ in shares]
    wanted, dealt = np.asarray(shares, dtype=float), np.zeros(len(shares))
    for unit in order:
        weight = len(unit.records)
        lack = np.where(wanted > 0, wanted * (dealt.sum() + weight) - dealt, -np.inf)
        # Chance decides between parts that lack the same, so that no part is always the first.
        best = np.flatnonzero(lack >= lack.max() - 1e-9)
        chosen = int(best[rng.integers(len(best))])
        parts[chosen].append(unit)
        dealt[chosen] += weight
    return parts


def _folds(units: list[_Unit], count: int, rng: np.random.Generator) -> list[tuple[list[_Unit], ...]]:
    sets = _deal(units, [1.0 / count] * count, rng)
    folds = []
    for k, test in enumerate(sets):
        if count >= 5:
            validation = sets[(k + 1) % count]
            train = [unit for n, part in enumerate(sets) if n not in (k, (k + 1) % count) for unit in part]
        else:
            others = [unit for n, part in enumerate(sets) if n != k for unit in part]
            train, validation = _deal(sorted(others, key=lambda u: u.person), (1 - _VALIDATION, _VALIDATION), rng)
            if not validation and len(train) > 1:
                validation.append(train.pop())
        folds.append((train, validation, test))
    return folds


def _shares(units: list[_Unit], rng: np.random.Generator) -> tuple[list[_Unit], ...]:
    train, validation, test = _deal(units, (0.8, 0.1, 0.1), rng)
    return train, validation, test


def _ids(units: Sequence[_Unit]) -> tuple[str, ...]:
    return tuple(sorted(identifier for unit in units for identifier in unit.records))


def _advice(kind: str, count: int, persons: int) -> str:
    """Return what can be done where persons are too few for a scheme."""
    if persons < _FEWEST or (kind == "folds" and count == 2):
        return "more patients are needed"
    return "choose fewer folds" if kind == "folds" else "take folds instead, such as 2-fold (stroke train: --folds 2)"


def _left_out(excluded: Sequence[str]) -> str:
    """Return how many were excluded and the first's reason, to be put into a sentence."""
    were = "was" if len(excluded) == 1 else "were"
    return f"; {len(excluded)} {were} excluded, the first: {excluded[0].rstrip('.')}" if excluded else ""


def _notes(units: list[_Unit], count: int, keys: Sequence[str], volumes: Mapping[str, float] | None) -> tuple[str, ...]:
    notes = []
    sizes: dict[tuple[str, ...], int] = {}
    for unit in units:
        sizes[unit.stratum] = sizes.get(unit.stratum, 0) + 1
    tiny = sum(1 for size in sizes.values() if size < count)
    if tiny:
        words = " × ".join(keys)
        notes.append(
            f"{tiny} of {len(sizes)} strata ({words}) hold fewer patients than parts: balanced as far as it goes."
        )
    if "volume" in keys and volumes is None:
        notes.append("Lesion volumes were not given: the parts are not balanced by volume.")
    return tuple(notes)
