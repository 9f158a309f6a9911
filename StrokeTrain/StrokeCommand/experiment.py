"""``stroke experiment``: a paper's whole table on a cohort, by one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from StrokePredictLib.errors import StrokeError

from .cohort import Scheduler, Workers
from .console import answer, print_files, print_json, stage


def experiment(
    name: Annotated[str, typer.Argument(help="Which; 'list' shows all.")],
    data: Annotated[Path | None, typer.Option(help="The cohort's folder.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder to write into, or to go on in.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small images, few epochs: minutes instead of days.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same splits and weights.")] = 0,
    folds: Annotated[int | None, typer.Option(min=2, help="How many, instead of the paper's.")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    external: Annotated[Path | None, typer.Option(help="Another cohort, for an external test.")] = None,
    scheduler: Scheduler = None,
    workers: Workers = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="A value of every recipe, as training.epochs=20; may come again.")
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder of prepared patients.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
) -> None:
    """Make a paper's table on a cohort, beside the published numbers; run again, it goes on where it was stopped."""
    if name == "list":
        _list(as_json)
        return
    from StrokePredictLib.threads import limit_threads

    limit_threads()
    from StrokeTrainLib.experiments.catalogue import experiment_of
    from StrokeTrainLib.experiments.run import run_experiment
    from StrokeTrainLib.experiments.setting import Setting
    from StrokeTrainLib.recipes.override import parse_overrides

    experiment_of(name)
    if data is None or output is None:
        raise StrokeError(f"name the cohort's folder (--data DIR) and where to write (-o DIR): experiment {name}.")
    setting = Setting(
        data, output, quick, seed, folds, device, external, scheduler, workers, cache, parse_overrides(values or [])
    )
    with stage(f"Experiment {name}") as progress:
        result = run_experiment(name, setting, progress)
    print_json(result) if as_json else _print(result)


def _list(as_json: bool) -> None:
    from StrokeTrainLib.experiments.catalogue import experiment_of, names

    found = [{"name": name, "title": experiment_of(name).title, "needs": experiment_of(name).needs} for name in names()]
    if as_json:
        print_json(found)
        return
    for item in found:
        answer.print(f"{item['name']:<18} {item['title']}", markup=False)
        answer.print(f"{'':<18} needs {item['needs']}", markup=False, style="dim")


def _print(result: dict[str, Any]) -> None:
    for item in result["directions"]:
        answer.print(f"{item['claim']}: {item['verdict']} ({item['found']})", markup=False)
    print_files(result["files"])
