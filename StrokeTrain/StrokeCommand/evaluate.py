"""``stroke evaluate``: a run, or a model, on patients whom it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from .cohort import Scheduler, Workers
from .console import answer, print_files, print_json, stage

if TYPE_CHECKING:
    from collections.abc import Mapping


def evaluate(
    data: Annotated[Path, typer.Option(help="The cohort's folder.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write into.")],
    run: Annotated[Path | None, typer.Option(help="A training run on it: its out-of-fold predictions.")] = None,
    model: Annotated[str | None, typer.Option(help="Instead of a run: a model's name, or a bundle's folder.")] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Folder of the model's predictions; made where they are missing.")
    ] = None,
    rules: Annotated[
        str, typer.Option(help="Threshold rules beside it, with commas between; all that fit, or none.")
    ] = "all",
    subgroups: Annotated[
        str, typer.Option(help="reperfusion_yu, reperfusion_debs, volume, vendor, center; all or none.")
    ] = "all",
    clean_rules: Annotated[bool, typer.Option("--clean-rules", help="Clean the rules' masks as reports do.")] = False,
    distinct: Annotated[
        bool, typer.Option("--distinct", help="Patients of names that the model knows are other people, I am sure.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the intervals that come from drawing patients.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu; for predictions that are missing.")] = "auto",
    cache: Annotated[Path | None, typer.Option(help="Folder of computed perfusion maps.")] = None,
    scheduler: Scheduler = None,
    workers: Workers = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
) -> None:
    """Score every test patient, compare with the threshold rules, and write tables, figures and a report."""
    from StrokePredictLib.threads import limit_threads

    limit_threads()
    from StrokeTrainLib.evaluation.evaluate import Options
    from StrokeTrainLib.evaluation.evaluate import evaluate as job
    from StrokeTrainLib.evaluation.summary import SUBGROUPS

    options = Options(
        rules=_choice(rules), subgroups=tuple(SUBGROUPS) if subgroups == "all" else _choice(subgroups) or (),
        cleaned=clean_rules, distinct=distinct, seed=seed, cache=cache, device=device, scheduler=scheduler,
        workers=workers,
    )  # fmt: skip
    with stage("Evaluation") as progress:
        result = job(data, output, run=run, model=model, predictions=predictions, options=options, progress=progress)
    if as_json:
        print_json(result)
        return
    answer.print(_table(result["summary"]))
    for note in result["notes"]:
        answer.print(f"! {note}", markup=False)
    print_files([name for name in result["files"] if "/figures/" not in Path(name).as_posix()])


def _choice(text: str) -> bool | list[str]:
    """Return True for all, False for none, else the words."""
    if text in ("all", "none", ""):
        return text == "all"
    return [word.strip() for word in text.split(",") if word.strip()]


def _table(summary: Mapping[str, Any]) -> Table:
    from StrokeTrainLib.evaluation.tables import classifier_tables, overall

    classifier = summary.get("task") == "classification"
    found = classifier_tables(summary)[0] if classifier else overall(summary, "median")
    # What a terminal is wide enough for.
    kept = range(len(found.head)) if classifier else [found.head.index(name) for name in ("Method", "n", "AUC", "DSC")]
    table = Table(*(found.head[i] for i in kept), title="" if classifier else found.title)
    for row in found.rows:
        table.add_row(*(row[i] for i in kept))
    return table
