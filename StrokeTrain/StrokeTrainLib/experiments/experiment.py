"""What an experiment is: networks on common folds, and a table made of their unseen patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from StrokePredictLib.progress import Progress, silent

from ..cohort.parts import Splits
from ..cohort.table import Patient
from ..evaluation.patients import evaluate_patients
from ..evaluation.results import Results
from ..evaluation.sources import Source, from_run
from ..evaluation.summary import compare
from ..statistics.compare import adjust
from .arms import Arm
from .directions import Direction, judge
from .drawing import Drawing
from .ground import QUICK_PATIENTS, Ground
from .published import Paper
from .runs import RECEIPTS, run_of
from .setting import Setting
from .table import Table

#: Median Dice in its own kind of patients below which a network counts as one that learnt nothing.
LEARNT = 0.1
#: Deals everybody of the cohort to the arms: by arm its folds, and sentences about them.
Deal = Callable[[Ground, Setting], tuple[dict[str, Splits], list[str]]]


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Attributes
    ----------
    name, title : str
        On the command line, and in words.
    paper : Paper or None
        Whose it is; None: ours.
    needs : str
        What a cohort must hold, in words.
    folds : int
        The paper's number; 0: one split of 80, 10 and 10 %.
    arms : tuple of Arm
        What is trained; the first says which images everybody must have.
    deal : callable
        Who learns and is tested in which arm; an arm that it leaves out is not trained.
    report : callable
        Makes the table of the trained arms.
    quick_folds : int
        With ``--quick``, where it is another number.
    quick_patients : int
        With ``--quick``, no more than these take part.
    """

    name: str
    title: str
    paper: Paper | None
    needs: str
    folds: int
    arms: tuple[Arm, ...]
    deal: Deal
    report: Callable[[Finished], Report]
    quick_folds: int = 0
    quick_patients: int = QUICK_PATIENTS

    def scheme(self, setting: Setting) -> str:
        """Return the scheme of splits: as many folds as asked for, else the paper's."""
        if not self.folds:
            return "80-10-10"
        usual = self.quick_folds if setting.quick and self.quick_folds else self.folds
        return f"{setting.folds or usual}-fold"


@dataclass(frozen=True)
class Finished:
    """An experiment whose networks are trained.

    Attributes
    ----------
    experiment : Experiment
        Which.
    setting : Setting
        What was asked for.
    ground : Ground
        The cohort.
    splits : dict of str to Splits
        By arm that was trained.
    progress : Progress
        Told how far the scoring is.
    """

    experiment: Experiment
    setting: Setting
    ground: Ground
    splits: Mapping[str, Splits]
    progress: Progress = silent

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms that were trained."""
        return tuple(arm for arm in self.experiment.arms if arm.name in self.splits)

    def source(self, arm: str, patients: Sequence[Patient] | None = None) -> Source:
        """Return an arm's predictions of patients whom the predicting fold has not seen."""
        title = next(item.title for item in self.experiment.arms if item.name == arm)
        chosen = list(self.ground.patients.values()) if patients is None else patients
        return from_run(run_of(self.setting, arm), chosen, name=arm, title=title)

    def results(
        self,
        sources: Sequence[Source],
        rules: Sequence[str] = (),
        *,
        reader: bool = False,
        patients: Sequence[Patient] | None = None,
        name: str = "scores",
    ) -> Results:
        """Score the sources' patients, each once; see `StrokeTrainLib.evaluation.patients.evaluate_patients`."""
        setting = self.setting
        return evaluate_patients(
            list(self.ground.patients.values()) if patients is None else patients, sources, self.ledger(name),
            rules=tuple(rules) or False, reader=reader, cache=self.ground.cache, scheduler=setting.scheduler,
            workers=None if setting.scheduler else setting.processes, progress=self.progress,
        )  # fmt: skip

    def ledger(self, name: str) -> Path:
        """Return a folder of receipts."""
        return self.setting.output.absolute() / RECEIPTS / name


@dataclass
class Report:
    """What an experiment found.

    Attributes
    ----------
    tables : list of Table
        The paper's, filled.
    comparisons : list of dict
        As `StrokeTrainLib.evaluation.summary.compare` returns them, with ``group``, ``first_title``, ``second_title``.
    directions : list of dict
        As `directions.judge` returns them.
    notes : list of str
        What a reader must know.
    numbers : dict
        Whatever else belongs into ``experiment.json``.
    drawings : list of Drawing
        Figures.
    """

    tables: list[Table] = field(default_factory=list)
    comparisons: list[dict[str, Any]] = field(default_factory=list)
    directions: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)
    drawings: list[Drawing] = field(default_factory=list)

    def compared(
        self, results: Results, group: str, first: str, others: Sequence[str], keys: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Compare a method with others in a group of patients, keep the rows and return them."""
        rows = compare(results, first, others, keys)
        for row in rows:
            row |= {"group": group, "first_title": results.methods[row["first"]]}
            row |= {"second_title": results.methods[row["second"]]}
        self.comparisons += rows
        return rows

    def adjust_all(self) -> None:
        """Adjust P values by Holm for the number of tests of a measure in a group of patients."""
        families: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in self.comparisons:
            families.setdefault((row["group"], row["metric"]), []).append(row)
        for rows in families.values():
            for row, p in zip(rows, adjust([row["p"] for row in rows], "holm"), strict=True):
                row["p_holm"] = p

    def require_learnt(self, dice: Mapping[str, float]) -> None:
        """Judge no claim where a network has learnt nothing: empty or random predictions agree with any such claim.

        Parameters
        ----------
        dice : mapping of str to float
            By title a network's median Dice in patients like those it learnt from.
        """
        failed = [f"{title} (median Dice {value:.3f})" for title, value in dice.items() if not value >= LEARNT]
        if not failed:
            return
        why = f"not assessable: not learnt by {', '.join(failed)}"
        self.directions = [direction | {"verdict": why} for direction in self.directions]
        told = f"Below a median Dice of {LEARNT:g} in its own kind of patients a network counts as not trained"
        self.notes.insert(0, f"{told}, and no claim is judged.")

    def look_for(self, claim: str, published: str, expected: str, row: Mapping[str, Any]) -> None:
        """State a claim of the paper beside a comparison of ours."""
        self.directions.append(judge(Direction(claim, published, expected), row))


def median_dice(columns: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return by title the median of a column of Dice, for `Report.require_learnt`; nobody scored, no entry."""
    known = {title: column[np.isfinite(column)] for title, column in columns.items()}
    return {title: float(np.median(column)) for title, column in known.items() if column.size}


def of_metric(rows: Sequence[dict[str, Any]], metric: str, second: str | None = None) -> dict[str, Any]:
    """Return the row of a measure, and of a second method where there are several."""
    return next(row for row in rows if row["metric"] == metric and second in (None, row["second"]))


def everybody_the_same(arms: Sequence[Arm]) -> Deal:
    """Return a dealer that gives every arm the same folds."""

    def deal(ground: Ground, setting: Setting) -> tuple[dict[str, Splits], list[str]]:
        return {arm.name: ground.splits for arm in arms}, []

    return deal
