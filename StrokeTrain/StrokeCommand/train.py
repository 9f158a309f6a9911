"""``stroke train``: one recipe on a cohort, to a model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from StrokePredictLib.errors import StrokeError

from .console import answer, print_files, print_json, stage, terminal


def train(
    output: Annotated[Path, typer.Option("-o", "--output", help="The run's folder.")],
    recipe: Annotated[
        str | None, typer.Argument(help="A recipe's name or file; with --resume the run's own if left out.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="The cohort's folder.")] = None,
    folds: Annotated[int | None, typer.Option(min=1, help="How many, instead of the recipe's; 1: one split.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="At most so many, instead of the recipe's.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Same seed, same splits and weights. [default: 0]")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that lies there.")] = False,
    init: Annotated[str | None, typer.Option(help="A model to start from: its name, or a bundle's folder.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a dask scheduler over which folds spread.")] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="A value of the recipe, as training.batch=8; may come again.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Processes that make batches.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of every computation.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder of prepared patients, outside the run.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
) -> None:
    """Train a network by a recipe, fold by fold; also under torchrun."""
    from StrokePredictLib.threads import limit_threads

    limit_threads()
    from StrokeTrainLib.recipes.override import parse_overrides
    from StrokeTrainLib.training.begin import Options
    from StrokeTrainLib.training.ranks import rank
    from StrokeTrainLib.training.train import recipe_for
    from StrokeTrainLib.training.train import train as run

    if recipe is None and not resume:
        raise StrokeError(f"name a recipe: {', '.join(_names())}; or go on with a run (--resume).")
    if data is None and not resume:
        raise StrokeError("name the cohort's folder (--data DIR).")
    chosen = recipe_for(
        recipe, output, resume=resume, overrides=parse_overrides(values or []), folds=folds, epochs=epochs
    )
    options = Options(
        data=data, seed=seed, device=device, init=init, cache=cache, workers=workers, threads=threads,
        scheduler=scheduler,
    )  # fmt: skip
    if rank() > 0:
        terminal.quiet = True  # every process would say the same
    try:
        with stage(f"Training {chosen.name}") as progress:
            result = run(chosen, output, options, resume=resume, progress=progress, on_epoch=_print_epoch)
    except KeyboardInterrupt:
        terminal.print(f"stopped; go on with: stroke train --resume -o {output}", markup=False)
        # Threads that make batches, and dask, may take their time to end; everything is written.
        os._exit(130)
    if rank() == 0:
        print_json(result) if as_json else _print_result(result)


def _names() -> list[str]:
    from StrokeTrainLib.recipes import names

    return names()


def _print_epoch(facts: dict[str, Any]) -> None:
    """Print one line an epoch: what a log on a cluster shows."""
    from StrokeTrainLib.training.telling import in_words

    words = [f"fold {facts['fold']}/{facts['folds']}  epoch {facts['epoch']}/{facts['epochs']}"]
    words.append(f"loss {facts['train_loss']:.4f}")
    if "validation_loss" in facts:
        words.append(f"validation {facts['validation_loss']:.4f}  score {facts['score']:.4f}")
        words += ["predicts nothing"] if facts.get("silent") else []
    words.append(in_words(facts["seconds"]))
    if facts.get("time_left_s"):
        words.append(f"{in_words(facts['time_left_s'])} left at most")
    terminal.print("  " + "  ".join(words), style="dim", markup=False)


def _print_result(result: dict[str, Any]) -> None:
    for note in result["notes"]:
        terminal.print(f"! {note}", markup=False)
    for item in result["excluded"]:
        terminal.print(f"left out: {item['reason']}", markup=False)
    for fold in result["folds"]:
        figures = ", ".join(f"{name} {value:g}" for name, value in fold["summary"].items())
        epochs = f"best epoch {fold['best_epoch']} of {fold['epochs']}"
        answer.print(f"fold {fold['fold']}: {epochs}; {figures}", markup=False)
    answer.print(", ".join(f"{name} {value:g}" for name, value in result["scores"].items()), markup=False)
    print_files(result["files"])
