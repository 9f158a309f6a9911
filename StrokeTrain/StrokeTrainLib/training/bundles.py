"""Trained weights to bundles: one a fold, and the model that is handed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictLib.io.output import replaced_folder
from StrokePredictLib.models.bundle import Bundle, open_bundle
from StrokePredictLib.models.calibration import Calibration
from StrokePredictLib.models.card import WEIGHTS
from StrokePredictLib.networks import create

from ..bundle_writer import write_bundle
from ..cards import INTENDED_USE, to_card
from .ancestry import members
from .identity import hashes

if TYPE_CHECKING:
    import torch
    from torch import nn

    from .plan import Plan

VERSION = "1.0.0"
SIMULATED_USE = (
    "Shows the way from a cohort to a model. Trained on simulated patients only: it knows nothing of real ones, of "
    "haemorrhage or of artefacts."
)
HALF_SIMULATED_USE = "For research. Began as a model trained on simulated patients, and was trained further on others."


def network_with(plan: Plan, weights: Mapping[str, torch.Tensor]) -> nn.Module:
    """Return the recipe's network with trained weights, on the CPU."""
    network = create(plan.recipe.network.name, **plan.recipe.network.options)
    network.load_state_dict(weights)
    return network.eval()


def write_model(
    plan: Plan,
    folder: Path,
    weights: Sequence[Mapping[str, torch.Tensor]],
    folds: Sequence[int],
    *,
    scores: Mapping[str, float | str],
    calibration: Calibration | None = None,
    label_above: float | None = None,
) -> Bundle:
    """Write a bundle, whole or not at all, and open it.

    Parameters
    ----------
    plan : Plan
        Of the run.
    folder : Path
        Where.
    weights : sequence of state dicts
        One a member.
    folds : sequence of int
        Whose they are.
    scores : mapping
        Measured on patients that no member has seen.
    calibration : Calibration, optional
        Of the volume interval.
    label_above : float, optional
        Of a core classifier.
    """
    names = [WEIGHTS] if len(folds) == 1 else [f"models/fold-{fold}.safetensors" for fold in folds]
    names_seen = sorted({name for fold in folds for part in plan.parts(fold) for name in part})
    known = hashes([plan.patients[name] for name in names_seen], plan.facts["salt"])
    init = plan.facts["init"] or {}
    card = to_card(
        plan.recipe,
        data=_in_words(plan, folds, len(names_seen)),
        simulated=plan.facts["simulated"] or bool(init.get("demonstration")),
        patients=len(names_seen),
        salt=plan.facts["salt"],
        patient_hashes=sorted(set(known) | set(init.get("patient_hashes", []))),
        ancestors=sorted(relatives(plan, folder)),
        calibration_hashes=_calibrated(plan) if calibration else (),
        phantom=phantom_of(Path(plan.facts["data"])) if plan.facts["simulated"] else "",
        seed=plan.facts["seed"],
        scores=scores,
        weights=names,
        calibration=calibration,
        label_above=label_above,
        intended_use=_use(plan),
    )
    networks = [network_with(plan, state) for state in weights]
    # As a whole: panels look at a run's folder while it is being finished.
    with replaced_folder(folder) as stage:
        write_bundle(stage, networks, card, VERSION, "First version.")
    return open_bundle(folder)


def phantom_of(cohort: Path) -> str:
    """Return the fingerprint of the simulator that made a cohort; empty where it does not tell."""
    try:
        return str(read_json_object(cohort / "dataset_description.json").get("PhantomFingerprint", ""))
    except StrokeError:
        return ""


def _calibrated(plan: Plan) -> list[str]:
    return hashes([plan.patients[name] for name in plan.splits.calibration], plan.facts["salt"])


def relatives(plan: Plan, folder: Path) -> set[str]:
    """Return the hashes of the models that a run started from and, for the model handed over, of its folds'."""
    init = plan.facts["init"] or {}
    found = set(init.get("ancestors", [])) | ({init["sha256"]} if init else set())
    if folder == plan.folder.bundle:
        for place in plan.folder.path.glob("fold-*/bundle"):
            found |= members(place)
    return found


def _use(plan: Plan) -> str:
    if plan.facts["simulated"]:
        return SIMULATED_USE
    return HALF_SIMULATED_USE if (plan.facts["init"] or {}).get("demonstration") else INTENDED_USE


def _in_words(plan: Plan, folds: Sequence[int], count: int) -> str:
    kind = "simulated patients" if plan.facts["simulated"] else "patients"
    which = f"fold {folds[0]} of {plan.folds}" if len(folds) == 1 else f"an ensemble of {len(folds)} folds"
    said = f"{count} {kind} ({which})"
    init: dict[str, Any] | None = plan.facts["init"]
    return f"{said}, starting from the model '{init['name']}' ({init['sha256'][:16]}…)" if init else said
