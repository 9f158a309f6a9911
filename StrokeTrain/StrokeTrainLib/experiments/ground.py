"""Who takes part and in which fold: decided once, before anything is trained, for all networks of an experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.progress import Progress, silent

from ..cohort.parts import Splits
from ..cohort.splits import make_splits
from ..cohort.table import Patient
from ..training.begin import Options, begin
from ..training.plan import Plan, load_plan
from ..training.run_folder import RunFolder
from .arms import Arm, recipe_of
from .setting import Setting

#: Hidden, so that nobody takes it for a run.
FOLDER = ".cohort"
#: With ``--quick``, no more patients than these, where an experiment does not say otherwise.
QUICK_PATIENTS = 40


@dataclass(frozen=True)
class Ground:
    """What all networks of an experiment have in common.

    Attributes
    ----------
    facts : dict
        As a run's ``run.json``.
    splits : Splits
        Everybody's folds.
    patients : dict of str to Patient
        Everybody who takes part.
    volumes : dict of str to float
        Lesion in mL.
    left_out : list of str
        Who does not, each with the reason.
    notes : list of str
        What a reader should know.
    """

    facts: dict[str, Any]
    splits: Splits
    patients: dict[str, Patient]
    volumes: dict[str, float]
    left_out: list[str]
    notes: list[str]

    @property
    def cache(self) -> Path:
        """Where prepared images lie."""
        return Path(self.facts["cache"])


def prepare_ground(
    base: Arm, setting: Setting, scheme: str, progress: Progress = silent, *, begun: bool = True,
    most: int = QUICK_PATIENTS,
) -> Ground:
    """Select, prepare and split the cohort once; an experiment that is gone on with keeps what it has.

    Parameters
    ----------
    base : Arm
        Whose images and outline everybody must have: the network with the most inputs.
    setting : Setting
        What is asked for.
    scheme : str
        Of the splits.
    progress : Progress
        Told how far it is.
    begun : bool
        Believe what the folder holds of an earlier beginning.
    most : int
        With ``--quick``, how many patients take part at most.

    Raises
    ------
    StrokeError
        If the cohort cannot be used, or was changed since.
    """
    folder = RunFolder(setting.output.absolute() / FOLDER)
    if begun and folder.exists and "lesion_ml" in folder.read():
        plan = load_plan(folder.path)
    else:
        recipe = recipe_of(base, setting, scheme)
        recipe = recipe.model_copy(update={"selection": recipe.selection.model_copy(update={"reperfusion": "any"})})
        options = Options(
            data=setting.data, seed=setting.seed, device=setting.device, cache=setting.cache,
            threads=setting.processes, scheduler=setting.scheduler,
        )  # fmt: skip
        folder.path.mkdir(parents=True, exist_ok=True)
        plan, entries = begin(recipe, options, folder, progress)
        plan.facts["threads"] = _threads(setting)  # of a fold; folds go side by side
        plan.facts["lesion_ml"] = {name: entry.lesion_ml for name, entry in entries.items()}
        folder.write(plan.facts, plan.recipe.model_dump_json(indent=1), plan.splits.to_json())
    return _ground(plan, setting, scheme, most)


def _threads(setting: Setting) -> int | None:
    from StrokePredictLib.threads import available_threads

    return None if setting.scheduler else max(1, available_threads() // setting.processes)


def _ground(plan: Plan, setting: Setting, scheme: str, most: int) -> Ground:
    facts = plan.facts
    # The cohort's locked test set is in no experiment: it is not drawn, learnt from or tested.
    allowed = [patient for patient in plan.patients.values() if patient.id not in plan.splits.locked]
    chosen, notes = _few_if_quick(allowed, setting, most)
    volumes = {name: facts["lesion_ml"][name] or 0.0 for name in facts["lesion_ml"]}
    splits = plan.splits
    if len(chosen) < len(allowed):
        splits = make_splits(
            chosen, scheme, setting.seed, stratify=plan.recipe.split.stratify,
            volumes={patient.id: volumes[patient.id] for patient in chosen},
        )  # fmt: skip
    left_out = [item["reason"] for item in facts["selection"]["excluded"]] + list(facts["unusable"].values())
    left_out += [f"{name}: belongs to the cohort's locked test set." for name in plan.splits.locked]
    # A table is handed on: it names files within the cohort, not where the cohort lies.
    left_out = [reason.replace(f"{setting.data.absolute()}/", "") for reason in left_out]
    return Ground(
        facts, splits, {p.id: p for p in chosen}, volumes, left_out,
        [*notes, *_of_everybody(facts["notes"]), *(() if splits is plan.splits else splits.notes)],
    )  # fmt: skip


def _of_everybody(notes: Sequence[str]) -> list[str]:
    """Return notes without those that count folds: they are told of each network's own parts."""
    return [note for note in notes if not note.startswith("fold ")]


def _few_if_quick(patients: Sequence[Patient], setting: Setting, most: int) -> tuple[list[Patient], list[str]]:
    if not setting.quick or len(patients) <= most:
        return list(patients), []
    drawn = np.random.default_rng([setting.seed, 4041]).permutation(len(patients))[:most]
    chosen = [patients[number] for number in sorted(drawn)]
    return chosen, [f"Quick: {most} of {len(patients)} patients, drawn by chance."]


def require_groups(found: Mapping[str, Sequence[str]], least: int, what: str) -> None:
    """Raise `StrokeError` where a group holds fewer patients than an experiment can split."""
    small = next((name for name, members in found.items() if len(members) < least), None)
    if small is not None:
        counts = ", ".join(f"{name}: {len(members)}" for name, members in found.items())
        raise StrokeError(f"{what}: at least {least} patients of each are needed ({counts}); use a larger cohort.")
