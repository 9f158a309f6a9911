"""Every fold of every network of an experiment trained, on as many processes as there are; what is done stays done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictLib.models.bundle import open_bundle
from StrokePredictLib.progress import Progress, part, silent

from ..build import settle
from ..cohort.parts import Splits
from ..spread.work import spread
from ..training.ancestry import lineage
from ..training.begin import Options
from ..training.fold import SCORES
from ..training.run_folder import RunFolder
from ..training.train import train
from .arms import Arm, recipe_of
from .ground import Ground
from .setting import Setting

FOLDER, RECEIPTS = "runs", ".receipts"
_FOLD = "StrokeTrainLib.training.fold:run_fold"


def run_of(setting: Setting, arm: str) -> Path:
    """Return the run folder of an arm."""
    return setting.output.absolute() / FOLDER / arm


def train_arms(
    ground: Ground, arms: Sequence[Arm], splits: Mapping[str, Splits], setting: Setting, progress: Progress = silent
) -> list[str]:
    """Train every fold of every arm that is not trained yet; arms that start from another's model come after it.

    Parameters
    ----------
    ground : Ground
        The cohort.
    arms : sequence of Arm
        Which networks.
    splits : mapping of str to Splits
        By arm who learns, who chooses and who is tested.
    setting : Setting
        What is asked for.
    progress : Progress
        Told how many folds are done.

    Returns
    -------
    list of str
        Notes of the recipes and of the trainings.

    Raises
    ------
    StrokeError
        If a fold fails; the others are done, and the same command goes on.
    """
    notes: list[str] = []
    stages = [[arm for arm in arms if arm.init is None], [arm for arm in arms if arm.init is not None]]
    for number, stage in enumerate(stages):
        for arm in stage:
            notes += begin_run(ground, arm, splits[arm.name], setting)
        _train_folds(stage, splits, setting, part(progress, number / 2, (number + 1) / 2))
        _finish([arm for arm in stage if arm.ensemble], setting)
        notes += notes_of_trainings(stage, splits, setting)
    return list(dict.fromkeys(notes))


def begin_run(ground: Ground, arm: Arm, splits: Splits, setting: Setting) -> list[str]:
    """Write an arm's run down, or check that the run which lies there is the one asked for.

    Returns
    -------
    list of str
        What was settled about its recipe.

    Raises
    ------
    StrokeError
        If another run lies there.
    """
    recipe, notes = settle(recipe_of(arm, setting, splits.scheme))
    folder = RunFolder(run_of(setting, arm.name))
    text = recipe.model_dump_json(indent=1)
    if folder.exists:
        before = (folder.recipe.read_text(encoding="utf-8").strip(), Splits.load(folder.splits))
        if before != (text.strip(), splits):
            raise StrokeError(f"{folder.path}: holds another run; choose another folder with -o.")
        return notes
    folder.path.mkdir(parents=True, exist_ok=True)
    facts: dict[str, Any] = ground.facts | {"notes": notes, "init": _initial(arm, setting)}
    tested = {name for fold in splits.folds for side in (fold.train, fold.validation, fold.test) for name in side}
    facts["files"] = {name: files for name, files in ground.facts["files"].items() if name in tested}
    if facts["init"] is not None:
        # Hashes of the patients whom either model has seen are comparable only with the same salt.
        facts["salt"] = facts["init"].pop("salt")
    folder.write(facts, text, splits.to_json())
    return notes


def _initial(arm: Arm, setting: Setting) -> dict[str, Any] | None:
    """Return what ``run.json`` says of the model that an arm starts from."""
    if arm.init is None:
        return None
    bundle = open_bundle(RunFolder(run_of(setting, arm.init)).fold(1) / "bundle")
    training = bundle.card.training
    return {
        "name": bundle.card.name, "folder": str(bundle.folder.absolute()), "sha256": bundle.sha256,
        "patient_hashes": training.patient_hashes, "salt": training.salt, "ancestors": sorted(lineage(bundle).hashes),
    }  # fmt: skip


def _train_folds(arms: Iterable[Arm], splits: Mapping[str, Splits], setting: Setting, progress: Progress) -> None:
    items = {
        f"{arm.name}, fold {fold}": {"run": str(run_of(setting, arm.name)), "fold": fold}
        for arm in arms
        for fold in range(1, len(splits[arm.name].folds) + 1)
    }
    outcome = spread(
        _FOLD, items, ledger=setting.output.absolute() / RECEIPTS / "folds", scheduler=setting.scheduler,
        workers=None if setting.scheduler else setting.processes, progress=progress,
    )  # fmt: skip
    if outcome.failed:
        item, reason = next(iter(outcome.failed.items()))
        raise StrokeError(
            f"{item}: {reason} ({len(outcome.failed)} of {len(items)} folds failed; the same command goes on.)"
        )


def notes_of_trainings(arms: Iterable[Arm], splits: Mapping[str, Splits], setting: Setting) -> list[str]:
    """Return what the arms' folds noted while they were trained, such as that a network collapsed."""
    return [
        f"{arm.title}, {note}"
        for arm in arms
        for fold in range(1, len(splits[arm.name].folds) + 1)
        for note in read_json_object(RunFolder(run_of(setting, arm.name)).fold(fold) / SCORES).get("notes", [])
    ]


def _finish(arms: Iterable[Arm], setting: Setting) -> None:
    """Make the ensembles that are needed; every fold is there already."""
    from ..recipes import load_recipe

    for arm in arms:
        folder = RunFolder(run_of(setting, arm.name))
        if not (folder.path / "summary.json").is_file():
            train(load_recipe(folder.recipe), folder.path, Options(), resume=True)
