"""One fold from the plan to its scores: training, the fold's own model, its test patients predicted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from StrokePredictLib.io.json_files import read_json_object
from StrokePredictLib.io.output import write_text

from ..build import build_network
from ..data import Entry, build_batches, label_limit
from ..losses import build_loss
from ..optimisers import build_optimiser
from .bundles import write_model
from .engine import FoldTraining
from .parts import Parts, Rules
from .plan import Plan, load_plan
from .predictions import predict_patients
from .preparation import prepare_all
from .ranks import own_device, rank, told_by_first, wait_for_all, world_size
from .seeds import derived_seed
from .status import Log, Status
from .telling import Teller

if TYPE_CHECKING:
    import torch

SCORES = "scores.json"


def run_fold(run: str, fold: int) -> dict[str, Any]:
    """Train one fold of a run that was begun: what `StrokeTrainLib.spread` calls on any machine.

    Parameters
    ----------
    run : str
        The run's folder, on a disk that all machines share.
    fold : int
        From 1.
    """
    import torch

    plan = load_plan(run)
    torch.set_num_threads(plan.threads)
    folder = plan.folder.fold(fold)
    folder.mkdir(exist_ok=True)
    status = Status(folder / "status.json")
    teller = Teller(status, Log(plan.folder.log), plan.folds, plan.recipe.training.epochs)
    wanted = [plan.patients[name] for part in plan.parts(fold) for name in part]
    entries, _ = prepare_all(wanted, plan.recipe, plan.cache)
    result = train_fold(plan, fold, entries, teller)
    status.last(state="done")
    return result | {"files": [str(folder / SCORES)]}


def train_fold(plan: Plan, fold: int, entries: Mapping[str, Entry], teller: Teller) -> dict[str, Any]:
    """Train one fold, from where it was left, and predict its test patients.

    Returns
    -------
    dict
        ``fold``, ``epochs``, ``best_epoch``, ``best_score``, ``scores`` by patient, ``summary``; what
        ``fold-K/scores.json`` holds.
    """
    folder = plan.folder.fold(fold)
    if (folder / SCORES).is_file():
        return read_json_object(folder / SCORES)
    first = rank() == 0
    if first:
        folder.mkdir(exist_ok=True)
    wait_for_all()
    train, validation = ([entries[name] for name in part] for part in plan.parts(fold))
    limit = label_limit(train, plan.recipe)
    teller.begin_fold(fold, folder if first else None)
    training = FoldTraining(
        make_parts(plan, fold, train, validation, limit), make_rules(plan, fold, bool(validation)), folder,
        teller.resume_at, teller.iteration, teller.epoch,
    )  # fmt: skip
    found = training.run()
    teller.end_fold()
    for note in training.notes:
        teller.log("note", fold=fold, words=note)
    result = None
    if first:
        result = _finish(plan, fold, found, limit, teller) | {"notes": training.notes}
        write_text(folder / SCORES, json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        teller.log("fold", **{key: value for key, value in result.items() if key != "patients"})
    return told_by_first(result)


def make_rules(plan: Plan, fold: int, validate: bool) -> Rules:
    """Return the recipe's rules for a fold."""
    training = plan.recipe.training
    return Rules(
        epochs=training.epochs,
        patience=training.patience,
        min_delta=training.min_delta,
        monitor=training.monitor,
        threshold=plan.recipe.threshold,
        amp=training.mixed_precision,
        seed=plan.facts["seed"],
        fold=fold,
        clip=training.clip,
        validate=validate,
    )


def make_parts(
    plan: Plan, fold: int, train: list[Entry], validation: list[Entry], label_above: float | None = None
) -> Parts:
    """Return a fold's network with everything that it is trained with."""
    recipe, seed = plan.recipe, plan.facts["seed"]
    network = build_network(recipe, derived_seed(seed, fold))
    if plan.facts["init"]:
        network.load_state_dict(_initial(plan, fold))
    network.to(own_device(plan.facts["device"]))
    parts = {"train": train, "validation": validation}
    optimiser, per_iteration, per_epoch = build_optimiser(recipe, network)

    def batches(part: str, epoch: int) -> Any:
        return build_batches(
            parts[part], recipe, part=part, seed=seed, fold=fold, epoch=epoch, rank=rank(), world=world_size(),
            workers=plan.facts["workers"], label_above=label_above,
        )  # fmt: skip

    sections = recipe.view.arrangement in ("section", "stack")
    return Parts(network, optimiser, build_loss(recipe), batches, per_iteration, per_epoch, channels_last=sections)


def _initial(plan: Plan, fold: int) -> Mapping[str, torch.Tensor]:
    from StrokePredictLib.errors import StrokeError

    from .initial import initial_weights, open_initial

    said = plan.facts["init"]
    bundle = open_initial(said["folder"], plan.recipe)
    if bundle.sha256 != said["sha256"]:
        raise StrokeError(f"{said['folder']}: the model is not the one that this run began with; restore it.")
    return initial_weights(bundle, fold)


def _finish(plan: Plan, fold: int, found: dict[str, Any], limit: float | None, teller: Teller) -> dict[str, Any]:
    """Write the fold's model and predict the patients whom it has not seen."""
    folder = plan.folder.fold(fold)
    validated = {"validation score": round(found["best_score"], 4)} if plan.parts(fold)[1] else {}
    bundle = write_model(plan, folder / "bundle", [found["network"]], [fold], scores=validated, label_above=limit)
    test = [plan.patients[name] for name in plan.splits.folds[fold - 1].test]

    def tell(fraction: float, words: str) -> None:
        teller.words("predicting", (fold - 0.02) / plan.folds, words)

    scores = predict_patients(
        test, bundle, plan.recipe, plan.cache, folder=folder / "predictions", device=plan.facts["device"],
        label_above=limit, progress=tell,
    )  # fmt: skip
    kept = {key: found[key] for key in ("epochs", "best_epoch", "best_score")}
    return {"fold": fold, **kept, "label_above": limit, "summary": summary(scores), "patients": scores}


def summary(scores: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return figures over patients: of maps the Dice coefficient, of a classifier the area under the ROC curve."""
    from .validation import roc_area

    figures: dict[str, float] = {"patients": len(scores)}
    found = [s["dice"] for s in scores.values() if "dice" in s]
    if found:
        low, middle, high = np.percentile(found, (25, 50, 75))
        figures |= {"median Dice": round(float(middle), 3), "Dice quartile 1": round(float(low), 3)}
        figures |= {"Dice quartile 3": round(float(high), 3)}
    pairs = [(s["probability"], float(s["large"])) for s in scores.values() if s.get("large") is not None]
    if pairs:
        figures["AUC"] = round(roc_area(pairs), 3)
    return figures


def best_weights(folder: Path) -> tuple[dict[str, Any], str]:
    """Return the weights of a finished fold's best epoch, and a sentence where its checkpoint was of no use.

    The fold's own bundle holds the same weights, verified by their hash.

    Raises
    ------
    StrokeError
        If the bundle is damaged, too.
    """
    from StrokePredictLib.errors import StrokeError
    from StrokePredictLib.models.bundle import open_bundle

    from .checkpoints import BEST, read_checkpoint

    try:
        return read_checkpoint(folder / BEST), ""
    except StrokeError:
        weights = dict(open_bundle(folder / "bundle").load().state_dict())
        return weights, f"{folder / BEST}: cannot be used; the same weights were taken from {folder / 'bundle'}."
