"""Alis 2020: a core network on its own vendor, on the other, and fine-tuned to it, beside a second reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..cohort.parts import Fold, Splits
from ..cohort.splits import make_splits
from ..cohort.table import Patient
from ..evaluation.patient import READER
from ..evaluation.results import Results
from ..statistics.compare import mann_whitney, p_text
from ..statistics.noninferiority import noninferiority_paired
from .arms import Arm
from .comparing import paired, row_of
from .drawing import dice_by_group
from .experiment import Experiment, Finished, Report
from .ground import Ground, require_groups
from .published.alis2020 import PAPER, RESULTS
from .setting import Setting
from .table import OURS, add_paper, median_iqr, with_paper

VENDORS = ("A", "B")
TARGET = "acute-core"
#: Dice by which a network may be worse than the reader and still be called no worse. Stated here, before any result.
MARGIN = 0.05
_MARGIN = (
    f"Margin of non-inferiority to the reader: {MARGIN:g} Dice, set in the code before any result. The paper states "
    "none. What it calls worse than the reader is a lower median Dice by 0.11 (B → A: 0.756 against 0.868) and 0.13 "
    "(A → B: 0.734 against 0.867); a margin of 0.05 keeps less than half of the smaller of both."
)
#: Patients of each vendor: a tenth must hold some.
LEAST = 10
#: With ``--quick``: of fewer, a tenth of either vendor holds too few to be tested.
QUICK_PATIENTS = 200
#: Published key → arm, vendor tested.
_LINES = {
    "A-A": ("A", "A"), "B-B": ("B", "B"), "A-B": ("A", "B"), "B-A": ("B", "A"),
    "A-B-tuned": ("A-tuned", "B"), "B-A-tuned": ("B-tuned", "A"),
}  # fmt: skip
#: Size of the demonstration model. The rate is 100 times the paper's. Begun from the paper's initialisation, the norm
#: of the gradient grows from 0.001 to 10 as the background is learnt, and Adam's steps end in empty predictions. So the
#: map begins at 0.01 lesion, and gradients are clipped to less than most of them have: their direction is left to Adam.
_QUICK = {
    "network.options.filters": 6, "matrix": "[80, 80]", "spacing_mm": "[2.6, 2.6]", "lesion_prior": 0.01,
    "training.clip": 0.01,
}  # fmt: skip


def deal(ground: Ground, setting: Setting) -> tuple[dict[str, Splits], list[str]]:
    """Split either vendor 80-10-10; a fine-tuned model learns from the other vendor's validation tenth.

    Patients without a core take no part: the paper left them out ("no visible acute ischemic lesion").
    """
    groups = {v: [p for p in ground.patients.values() if p.vendor == v and ground.volumes[p.id] > 0] for v in VENDORS}
    named = {f"vendor {v}, with a core": [p.id for p in members] for v, members in groups.items()}
    require_groups(named, LEAST, "Alis' two data sets")
    # Dealt together, so that a person imaged by both vendors is in the same part of either.
    everybody = make_splits(
        [p for members in groups.values() for p in members], "80-10-10", setting.seed, stratify=("vendor", "volume"),
        volumes=ground.volumes,
    )  # fmt: skip
    own = {v: _own(everybody.folds[0], members) for v, members in groups.items()}
    found = {}
    for v, other in (VENDORS, VENDORS[::-1]):
        native = Fold(own[v].train, own[v].validation, everybody.folds[0].test)
        found[v] = replace(everybody, folds=(native,), train_only=_of(everybody.train_only, groups[v]))
        barred = _of(everybody.train_only, groups[other])
        found[f"{v}-tuned"] = replace(everybody, folds=(own[other],), train_only=barred)
    vendors = [p for p in ground.patients.values() if p.vendor in VENDORS]
    others, without = len(ground.patients) - len(vendors), len(vendors) - sum(map(len, groups.values()))
    told = [f"{others} patients of other or unknown vendors take no part."] if others else []
    told += [f"{without} patients without a core take no part, as in the paper."] if without else []
    return found, told


def _of(names: Sequence[str], members: Sequence[Patient]) -> tuple[str, ...]:
    mine = {patient.id for patient in members}
    return tuple(name for name in names if name in mine)


def _own(fold: Fold, members: Sequence[Patient]) -> Fold:
    """Return one vendor's part of a fold."""
    return Fold(_of(fold.train, members), _of(fold.validation, members), _of(fold.test, members))


def read_thrice(patient: Patient) -> Patient:
    """Return a patient whose truth is a reader's majority of several reads, where there are such reads.

    An outline without a reader's name would be taken for the truth otherwise.
    """
    named = [label for label in patient.labels_of(TARGET) if label.reader is not None]
    reads = [sum(other.reader == label.reader for other in named) for label in named]
    if not reads or max(reads) < 2:
        return patient
    return replace(patient, labels=tuple(x for x in patient.labels if x.target != TARGET or x.reader is not None))


def report(finished: Finished) -> Report:
    """Fill the table of medians."""
    patients = [read_thrice(patient) for patient in finished.ground.patients.values()]
    sources = [finished.source(arm.name, patients) for arm in finished.experiment.arms]
    results = finished.results(sources, reader=True, patients=patients)
    parts = {v: results.only(finished.splits[f"{other}-tuned"].folds[0].test)
             for v, other in (VENDORS, VENDORS[::-1])}  # fmt: skip
    made = Report()
    _table(made, parts)
    _models_against_reader(made, parts)
    _vendors(made, parts)
    _tuned(made, parts)
    own = {v: parts[v].column(v, "dice") for v in VENDORS}
    made.require_learnt({f"model {v}": float(np.median(x[np.isfinite(x)])) for v, x in own.items()
                         if np.isfinite(x).any()})  # fmt: skip
    made.notes += _truths(patients, results)
    made.drawings.append(dice_by_group(
        "Dice by model and tested vendor, beside a second reader's on the same patients.",
        {RESULTS.row(key).label.replace("→ ", "→\u00a0"): (parts[tested], {"Network": arm, "Second reader": READER})
         for key, (arm, tested) in _LINES.items()},
    ))  # fmt: skip
    return made


def _table(made: Report, parts: dict[str, Results]) -> None:
    table = with_paper(RESULTS, {"margin": _MARGIN})
    for key, (arm, tested) in _LINES.items():
        part, published = parts[tested], RESULTS.row(key)
        dice, reader = part.column(arm, "dice"), part.column(READER, "dice")
        add_paper(table, RESULTS, [key])
        cells = [median_iqr(dice, 3), median_iqr(reader, 3), p_text(mann_whitney(dice, reader).p)]
        table.add(published.group, published.label, OURS, len(part.patients), cells, "mann-whitney", "margin")
    made.tables.append(table)


def _models_against_reader(made: Report, parts: dict[str, Results]) -> None:
    """Compare with the reader by the paper's test, by the paired one, and for non-inferiority with the margin."""
    for key, (arm, tested) in _LINES.items():
        part = parts[tested]
        dice, reader = part.column(arm, "dice"), part.column(READER, "dice")
        label = RESULTS.row(key).label
        names = (label, "Second reader")
        unpaired = row_of(mann_whitney(dice, reader), "dice", f"vendor {tested}", *names)
        right = paired(dice, reader, "dice", f"vendor {tested}", names)
        made.comparisons += [unpaired, right]
        found = noninferiority_paired(dice, reader, margin=MARGIN)
        interval = found.difference.text(3)
        made.notes.append(
            f"{label} against the second reader, margin {MARGIN:g}: {found.verdict} (mean difference in Dice "
            f"{interval}, one-sided P {p_text(found.p)})."
        )
        made.numbers[f"{key} non-inferiority"] = {"verdict": found.verdict, "p": found.p, "margin": MARGIN}
        external = key in ("A-B", "B-A")
        published = {"A-A": "0.858 against 0.868, P = 0.273", "B-B": "0.857 against 0.867, P = 0.668",
                     "A-B": "0.734 against 0.867, P < 0.0001", "B-A": "0.756 against 0.868, P < 0.0001",
                     "A-B-tuned": "0.832 against 0.867, P = 0.127",
                     "B-A-tuned": "0.846 against 0.868, P = 0.468"}[key]  # fmt: skip
        claim = f"{label}: {'a lower Dice than' if external else 'no difference in Dice from'} the reader"
        made.look_for(claim, published, "lower" if external else "none", right)


def _vendors(made: Report, parts: dict[str, Results]) -> None:
    """Compare either model's internal with its external test: other patients, so that Mann-Whitney fits."""
    published = {"A": "0.858 (or 0.866) against 0.734, P < 0.0001", "B": "0.857 against 0.756, P < 0.0001"}
    for v, other in (VENDORS, VENDORS[::-1]):
        test = mann_whitney(parts[v].column(v, "dice"), parts[other].column(v, "dice"))
        row = row_of(test, "dice", f"model {v}", f"{v} → {v}", f"{v} → {other}")
        made.comparisons.append(row)
        made.look_for(f"Model {v}: a higher Dice on its own vendor than on the other", published[v], "higher", row)


def _tuned(made: Report, parts: dict[str, Results]) -> None:
    published = {"A": "0.832 (or 0.818) against 0.734, P < 0.0001", "B": "0.846 against 0.756, P < 0.0001"}
    for v, other in (VENDORS, VENDORS[::-1]):
        part = parts[other]
        tuned, native = (part.column(arm, "dice") for arm in (f"{v}-tuned", v))
        names = (f"{v}, fine-tuned → {other}", f"{v} → {other}")
        row = paired(tuned, native, "dice", f"vendor {other}", names)
        made.comparisons.append(row)
        made.look_for(f"Model {v} on vendor {other}: a higher Dice after fine-tuning", published[v], "higher", row)


def _truths(patients: Sequence[Patient], results: Results) -> list[str]:
    tested = set(results.patients)
    thrice = sum(all(x.reader is not None for x in p.labels_of(TARGET)) for p in patients if p.id in tested)
    told = [f"Truth of {thrice} of {len(tested)} tested patients: the majority of one reader's reads; of the others "
            "the outline that there is. Networks learn from the same kind of truth."]  # fmt: skip
    lacking = int(np.isnan(results.column(READER, "dice")).sum())
    return told + ([f"{lacking} tested patients have no second reader's outline."] if lacking else [])


def _arms() -> tuple[Arm, ...]:
    native = [Arm(v, f"Model {v}", "alis2020", quick=_QUICK | {"training.epochs": 14, "optimiser.rate": 0.001})
              for v in VENDORS]  # fmt: skip
    tuned = [
        Arm(f"{v}-tuned", f"Model {v}, fine-tuned", "alis2020-fine-tune", init=v,
            quick=_QUICK | {"training.epochs": 20, "optimiser.rate": 0.0001})
        for v in VENDORS
    ]  # fmt: skip
    return (*native, *tuned)


EXPERIMENT = Experiment(
    name="alis-vendors",
    title="Alis 2020: core networks across vendors, and fine-tuning",
    paper=PAPER,
    needs=(
        "MR patients of vendors A and B, at least 10 of each with a core, with DWI, ADC and its outline; for the "
        "paper's truth three reads of one reader, for the human reference another reader."
    ),
    folds=0,
    arms=_arms(),
    deal=deal,
    report=report,
    quick_patients=QUICK_PATIENTS,
)
