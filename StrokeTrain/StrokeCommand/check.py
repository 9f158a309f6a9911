"""``stroke check`` and ``stroke convert``: words in, a job, its answer out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from StrokePredictLib import jobs

from .console import answer, print_files, print_json, stage

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")]


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands to the command line."""
    app.command("check")(check)
    app.command("convert")(convert)


def check(
    folder: Annotated[Path, typer.Argument(help="A patient's folder, a cohort's with --patient, or DICOM.")],
    patient: Annotated[str | None, typer.Option(help="Which patient of a cohort.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder for a picture of it.")] = None,
    deformable: Annotated[
        bool, typer.Option("--deformable", help="Follow oedema and distortion when the follow-up is registered.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what is there, what is missing for what, and every doubt. Computes no result."""
    with stage("Checking") as progress:
        result = jobs.run(
            "check", folder=folder, patient=patient, output=output, deformable=deformable, progress=progress
        )
    if as_json:
        print_json(result)
        return
    _print_patient(result["patients"][0])
    print_files(result["files"])


def convert(
    folder: Annotated[Path, typer.Argument(help="DICOM files, at any depth.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write into.")],
    as_json: AsJson = False,
) -> None:
    """Sort a DICOM export and write its images as NIfTI with times, echo time and b-value beside them."""
    with stage("Converting") as progress:
        result = jobs.run("convert", folder=folder, output=output, progress=progress)
    if as_json:
        print_json(result)
        return
    table = Table("image", "series", "grid", "rule")
    for role, image in result["roles"].items():
        table.add_row(role, image["series"], image["grid"], image["rule"])
    answer.print(table)
    for sentence in [*result["doubts"], *result["left"], *result["skipped"]]:
        answer.print(f"! {sentence}", markup=False)
    print_files(result["files"])


def _print_patient(entry: dict[str, Any]) -> None:
    table = Table("image", "grid", title=entry["patient"] + " (simulated)" * entry["simulated"])
    table.add_column("how it was chosen", overflow="fold")
    for image in entry["images"]:
        table.add_row(image["title"], image["grid"], image["rule"])
    answer.print(table, soft_wrap=False)
    tasks = Table("for", "", "missing")
    for task in entry["tasks"]:
        tasks.add_row(task["name"], "ready" if task["ready"] else "-", ", ".join(task["missing"]))
    answer.print(tasks)
    if entry["follow_up"]:
        told = f"Follow-up lesion: {entry['follow_up']['lesion_ml']:.1f} mL ({entry['follow_up']['source']})."
        answer.print(told, markup=False)
    if entry["aspects"]:
        words = ", ".join(f"{name} {number}" for name, number in entry["aspects"].items() if name != "by")
        told = f"Sections proposed for ASPECTS, counted from 1: {words} (by {entry['aspects']['by']})."
        answer.print(told, markup=False)
    for doubt in entry["doubts"]:
        answer.print(f"! {doubt}", markup=False)
    if not entry["doubts"]:
        answer.print("No doubts.")
