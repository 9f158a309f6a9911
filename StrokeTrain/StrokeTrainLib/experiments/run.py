"""An experiment from its first patient to its table."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.output import write_text
from StrokePredictLib.progress import Progress, part, silent
from StrokePredictLib.provenance import provenance

from ..cohort.parts import Splits
from ..evaluation.methods_text import persons_note
from ..evaluation.summary import plain
from ..training.run_folder import Before
from .arms import Arm, recipe_of, require_trainable
from .catalogue import experiment_of
from .document import to_markdown
from .drawing import write_drawings
from .experiment import Finished, Report
from .ground import prepare_ground
from .runs import train_arms
from .setting import RECORD, Setting, taken_up, write_record

CSV, MARKDOWN = "table.csv", "table.md"
#: Shares of the progress: preparing, training; scoring has the rest.
_PREPARED, _TRAINED = 0.15, 0.85


def run_experiment(name: str, setting: Setting, progress: Progress = silent) -> dict[str, Any]:
    """Run an experiment, or go on with one that was stopped: what is done is not done again.

    Parameters
    ----------
    name : str
        One of `catalogue.names`.
    setting : Setting
        What is asked for.
    progress : Progress
        Told how far it is.

    Returns
    -------
    dict
        What ``experiment.json`` holds, and ``files``.

    Raises
    ------
    StrokeError
        If there is no such experiment, the cohort cannot serve it, or the folder holds another one.
    """
    experiment = experiment_of(name)
    begun = taken_up(setting, name)
    with _unless_refused(setting):
        share = part(progress, 0.0, _PREPARED)
        ground = prepare_ground(
            experiment.arms[0], setting, experiment.scheme(setting), share, begun=begun, most=experiment.quick_patients
        )
        splits, said = experiment.deal(ground, setting)
        positive = {patient: volume > 0 for patient, volume in ground.volumes.items()}
        arms = [arm for arm in experiment.arms if arm.name in splits]
        for arm in arms:
            said += _checked(splits[arm.name], arm, positive, setting)
        if not begun:
            # Only now: what cannot be begun leaves nothing behind that a corrected command would stumble over.
            write_record(setting, {"asked": setting.asked(name), "state": "begun"})
    said += train_arms(ground, arms, splits, setting, part(progress, _PREPARED, _TRAINED))
    finished = Finished(experiment, setting, ground, splits, part(progress, _TRAINED, 1.0))
    report = experiment.report(finished)
    report.adjust_all()
    report.notes = list(dict.fromkeys([*report.notes, *said, *_persons(finished)]))
    return _write(finished, report)


@contextlib.contextmanager
def _unless_refused(setting: Setting) -> Iterator[None]:
    """Leave the folder as it was where an experiment is refused before it was begun."""
    before = Before(setting.output.absolute())
    try:
        yield
    except StrokeError:
        if not (setting.output / RECORD).exists():
            before.restore()
            before.remove_folders()
        raise


def _persons(finished: Finished) -> list[str]:
    """Say where those who are tested are fewer people than records."""
    tested = {name for splits in finished.splits.values() for fold in splits.folds for name in fold.test}
    return persons_note(len(tested), len({finished.ground.patients[name].person for name in tested}))


def _checked(splits: Splits, arm: Arm, positive: Mapping[str, bool], setting: Setting) -> list[str]:
    recipe = recipe_of(arm, setting, splits.scheme)
    if recipe.task == "classification" or recipe.training.part == "validation":
        return []
    return require_trainable(splits, arm, positive)


def _write(finished: Finished, report: Report) -> dict[str, Any]:
    setting, experiment = finished.setting, finished.experiment
    facts = {
        "command": setting.command(experiment.name),
        "simulated": bool(finished.ground.facts["simulated"]),
        "how": how(finished),
    }
    paths = [setting.output / CSV, setting.output / MARKDOWN]
    paths += write_drawings(report.drawings, setting.output, simulated=facts["simulated"])
    write_text(paths[0], _joined(report))
    write_text(paths[1], to_markdown(finished, report, facts))
    record = _record(finished, report, facts)
    paths.append(write_record(setting, record))
    return record | {"files": [str(path) for path in paths]}


def _joined(report: Report) -> str:
    """Return all tables as one CSV; where they differ in columns each has its own head."""
    texts = [table.csv() for table in report.tables]
    heads = {text.splitlines()[0] for text in texts}
    if len(heads) > 1:
        return "\n".join(texts)
    return texts[0] + "".join(text.split("\n", 1)[1] for text in texts[1:])


def _record(finished: Finished, report: Report, facts: Mapping[str, Any]) -> dict[str, Any]:
    setting, experiment, ground = finished.setting, finished.experiment, finished.ground
    return plain({
        "asked": setting.asked(experiment.name),
        "state": "done",
        "experiment": experiment.name,
        "title": experiment.title,
        "paper": experiment.paper.citation if experiment.paper else "",
        **facts,
        "patients": sorted(ground.patients),
        "left_out": ground.left_out,
        "folds": {arm: _sizes(splits) for arm, splits in finished.splits.items()},
        "tables": [
            {"title": table.title, "columns": table.columns, "footnotes": table.footnotes,
             "lines": [line.__dict__ for line in table.lines]}
            for table in report.tables
        ],
        "comparisons": report.comparisons,
        "directions": report.directions,
        "notes": [*report.notes, *ground.notes],
        "numbers": report.numbers,
        "provenance": provenance({}, setting.asked(experiment.name), "torch", "monai", "pytorch-ignite"),
    })  # fmt: skip


def _sizes(splits: Splits) -> list[dict[str, int]]:
    return [
        {"train": len(fold.train), "validation": len(fold.validation), "test": len(fold.test)} for fold in splits.folds
    ]


def how(finished: Finished) -> list[str]:
    """Return sentences on patients, folds, recipes, seeds and machine."""
    setting, ground = finished.setting, finished.ground
    kind = "simulated patients" if ground.facts["simulated"] else "patients"
    told = [
        f"{len(ground.patients)} {kind} took part, {len(ground.left_out)} were left out. Everybody is tested by a "
        "network that has not seen them; a prediction by one that has is refused.",
        f"Seed {setting.seed} for splits, weights and intervals; {ground.facts['device']}, "
        f"{ground.facts['threads'] or 'all'} threads a fold.",
    ]
    if ground.splits.train_only:
        told.append(f"{len(ground.splits.train_only)} of them have the role train-only: they are never tested.")
    told += [_arm_in_words(arm, finished) for arm in finished.arms]
    if setting.values:
        told.append(f"Changed in every recipe by the command: {_values(setting)}.")
    return told


def _values(setting: Setting) -> str:
    return ", ".join(f"{path}={value}" for path, value in setting.values.items())


def _arm_in_words(arm: Arm, finished: Finished) -> str:
    recipe = recipe_of(arm, finished.setting, finished.splits[arm.name].scheme)
    sizes = _sizes(finished.splits[arm.name])
    training = recipe.training
    learnt = "validation" if training.part == "validation" else "train"
    parts = f"{_span(sizes, learnt)} to learn from" + (
        f", {_span(sizes, 'validation')} to choose the epoch" if learnt == "train" else ""
    )
    start = f", starting from {arm.init}" if arm.init else ""
    return (
        f"{arm.title}: recipe {recipe.name}{start}, {len(sizes)} fold{'s' if len(sizes) > 1 else ''}, {parts}, "
        f"{_span(sizes, 'test')} to test; {recipe.matrix[0]} × {recipe.matrix[1]} pixels of {recipe.spacing_mm[0]:g} "
        f"mm, up to {training.epochs} epochs, batch {training.batch}."
    )


def _span(sizes: Sequence[Mapping[str, int]], part_name: str) -> str:
    low, high = min(size[part_name] for size in sizes), max(size[part_name] for size in sizes)
    return f"{low}" if low == high else f"{low} to {high}"
