"""Make a model that comes with the software: trained by its recipe, measured on unseen patients, halved, written.

``python -m StrokeTrainLib.demonstration NAME --data COHORT --unseen COHORT -o FOLDER`` does for one of
`demonstration_models.MODELS` what ``stroke train`` and ``stroke evaluate`` do, and writes the bundle.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path

from StrokePredictLib.io.output import staged_folder
from StrokePredictLib.models.bundle import Bundle, open_bundle
from StrokePredictLib.models.card import Card
from StrokePredictLib.progress import Progress, part, silent

from .bundle_writer import write_bundle
from .demonstration_models import COHORTS, MODELS, SEED, Demonstration
from .demonstration_scores import measure
from .training.begin import Options
from .training.finish import calibrate
from .training.plan import Plan, load_plan
from .training.run_folder import RunFolder
from .training.status import Log, Status
from .training.telling import Teller
from .training.train import recipe_for, train

VERSION, CHANGES = "1.0.0", "First version."
LICENCE = "Apache-2.0"
SIMULATED_ONLY = "Trained on simulated patients only; not for clinical use."


def make(
    model: Demonstration,
    data: Path | str,
    unseen: Path | str,
    output: Path | str,
    *,
    run: Path | str | None = None,
    cache: Path | str | None = None,
    threads: int | None = None,
    progress: Progress = silent,
) -> Bundle:
    """Train a demonstration model and write its bundle, whole or not at all.

    Its weights are stored in half precision. The volume interval and all scores belong to the model as it is stored.

    Parameters
    ----------
    model : Demonstration
        Which.
    data, unseen : path-like
        Cohort folders: who trains it, and who tests it.
    output : path-like
        The bundle's folder.
    run : path-like, optional
        The training run's folder, gone on with where it holds one; beside the bundle if left out.
    cache : path-like, optional
        Of prepared patients.
    threads : int, optional
        See `StrokeTrainLib.training.begin.Options`.
    progress : Progress
        Told how far it is.

    Raises
    ------
    StrokeError
        As `StrokeTrainLib.training.train.train`, and if nobody of the unseen patients can be tested.
    """
    output = Path(output)
    run = Path(run) if run else output.with_name(f"{output.name}-run")
    recipe = recipe_for(model.recipe, run, overrides=model.values, folds=1)
    cache = Path(cache) if cache else None
    options = Options(data=Path(data), seed=SEED, threads=threads, cache=cache)
    train(recipe, run, options, resume=RunFolder(run).exists, progress=part(progress, 0.0, 0.8))
    plan = load_plan(run)
    with tempfile.TemporaryDirectory(prefix="demonstration-") as place:
        draft = _write(Path(place) / "draft", plan, card_of(model, plan))
        interval = calibrate(plan, draft, Teller(Status(None), Log(None), 1, 1))
        draft = _write(Path(place) / "draft", plan, draft.card.model_copy(update={"calibration": interval}))
        scores = measure(draft, unseen, Path(place) / "scores", cache, part(progress, 0.85, 1.0))
        return _write(output, plan, draft.card.model_copy(update={"scores": scores | made_by(model)}))


def card_of(model: Demonstration, plan: Plan) -> Card:
    """Return the card of a run's model, with the name and the words of the demonstration model."""
    card = open_bundle(plan.folder.bundle).card
    training = card.training.model_copy(update={"commands": commands(model)})
    words = [model.shows, f"Reduced: {model.reduced}." if model.reduced else "", SIMULATED_ONLY]
    return card.model_copy(
        update={
            "name": model.name, "title": model.title, "licence": LICENCE, "training": training, "calibration": None,
            "intended_use": " ".join(word for word in words if word),
        }
    )  # fmt: skip


def commands(model: Demonstration) -> list[str]:
    """Return the command lines that make a model, from simulating its patients on."""
    return [
        *COHORTS[model.data].commands(model.data),
        *COHORTS[model.unseen].commands(model.unseen),
        f"python -m StrokeTrainLib.demonstration {model.name} --data {model.data} --unseen {model.unseen} "
        f"-o {model.name} --threads 1",
        f"# its training alone: {model.command(model.data, f'{model.name}-run')}",
    ]


def made_by(model: Demonstration) -> Mapping[str, str]:
    """Return who tested a model, for its scores."""
    return {"measured on": f"patients of {COHORTS[model.unseen].commands(model.unseen)[0]}"}


def _write(folder: Path, plan: Plan, card: Card) -> Bundle:
    trained = open_bundle(plan.folder.bundle)
    networks = [trained.load(member) for member in range(len(card.weights))]
    with staged_folder(folder, owns=("models/*.safetensors",)) as stage:
        write_bundle(stage, networks, card, VERSION, CHANGES, half=True)
    return open_bundle(folder)


def main() -> None:
    """Make one of the models."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(MODELS))
    parser.add_argument("-o", "--output", type=Path, required=True, help="the bundle's folder")
    parser.add_argument("--data", type=Path, required=True, help="cohort that trains it")
    parser.add_argument("--unseen", type=Path, required=True, help="cohort that tests it")
    parser.add_argument("--run", type=Path, help="folder of the training run")
    parser.add_argument("--cache", type=Path, help="folder of prepared patients")
    parser.add_argument("--threads", type=int)
    chosen = vars(parser.parse_args())
    made = make(MODELS[chosen.pop("name")], chosen.pop("data"), chosen.pop("unseen"), chosen.pop("output"), **chosen)
    print(made.folder)
    for name, score in made.card.scores.items():
        print(f"{name}: {score}")


if __name__ == "__main__":
    main()
