"""The job that shows how far a network has come: a validation patient predicted with the weights of just now."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.progress import Progress, silent

from .cohort.votes import truth
from .training.bundles import write_model
from .training.checkpoints import newest
from .training.plan import load_plan
from .training.predictions import predict_patients


def run(
    *, run: Path | str, fold: int, output: Path | str, patient: str | None = None, progress: Progress = silent
) -> dict[str, Any]:
    """Predict a validation patient of a fold that is being trained.

    Parameters
    ----------
    run : path-like
        The run's folder.
    fold : int
        From 1.
    output : path-like
        Folder for the mask.
    patient : str, optional
        Who; the validation patient with the largest lesion if left out.

    Returns
    -------
    dict
        ``patient``, ``epoch``, ``dice``, ``mask`` and ``probability`` (paths), ``truth`` (path of the outline),
        ``folder`` and ``which`` (as `load_case` wants them); ``files``.

    Raises
    ------
    StrokeError
        If there is no checkpoint yet, nobody to validate, or the network draws no map.
    """
    plan = load_plan(run)
    if plan.recipe.task != "segmentation":
        raise StrokeError("a classifier draws no map; its score is in the curves.")
    names = plan.parts(fold)[1]
    if not names:
        raise StrokeError(f"fold {fold} has no validation patient.")
    name = patient or max(names, key=lambda identifier: truth(plan.patients[identifier], plan.recipe.target).ml)
    state, _damaged = newest(plan.folder.fold(fold))
    epoch = state["trainer"]["iteration"] // max(1, state["trainer"]["epoch_length"] or 1) if state else 0
    if not epoch:
        raise StrokeError(f"{plan.folder.fold(fold)}: no epoch is done yet.")
    progress(0.3, name)
    with tempfile.TemporaryDirectory(prefix="glimpse-") as place:
        bundle = write_model(plan, Path(place) / "bundle", [state["network"]], [fold], scores={})
        chosen = plan.patients[name]
        scores = predict_patients(
            [chosen], bundle, plan.recipe, plan.cache, folder=Path(output), device="cpu", progress=progress
        )
    folder, model = Path(output) / name, bundle.card.name
    files = {"mask": folder / f"mask_{model}.nii.gz", "probability": folder / f"prob_{model}.nii.gz"}
    label = chosen.label(plan.recipe.target)
    return {
        "files": [str(path) for path in files.values()], **{key: str(path) for key, path in files.items()},
        "patient": name, "epoch": int(epoch), "dice": scores[name]["dice"],
        "truth": str(label.path) if label else None, "folder": str(chosen.folder),
        "which": chosen.id if chosen.layout == "bids" else None, "segment": plan.recipe.segment,
    }  # fmt: skip
