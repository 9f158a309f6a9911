"""What a command answers in words: volumes, predictions, doubts, how a cohort went."""

from __future__ import annotations

from typing import Any

import typer

from .console import answer, terminal


def print_volumes(volumes: dict[str, Any]) -> None:
    """Print a ``volumes.json``."""
    from .tables import volume_table

    answer.print(volume_table(volumes))
    print_doubts(volumes["doubts"])


def print_doubts(doubts: list[str]) -> None:
    """Print what a reader should know, a line each."""
    for doubt in doubts:
        answer.print(f"! {doubt}", markup=False)


def end_cohort(summary: dict[str, Any], as_json: bool) -> None:
    """Say how a cohort went, failures last; exit 2 where there are any."""
    if not as_json:
        answer.print(f"{len(summary['done'])} predicted, {len(summary['skipped'])} done before")
    for item in summary["failed"]:
        terminal.print(f"{item['patient']} failed: {item['reason']}", markup=False)
    if summary["failed"]:
        raise typer.Exit(2)


def print_predictions(record: dict[str, Any]) -> None:
    """Print a ``prediction.json``."""
    print_answers(record)
    for item in record["skipped"]:
        answer.print(f"{item['name']} left out: {item['reason']}", markup=False)
    print_doubts(record["doubts"])


def print_answers(record: dict[str, Any]) -> None:
    """Print what the models of a ``prediction.json`` say."""
    for item in record["models"]:
        limit = f"probability ≥ {item['threshold']:g}"
        answer.print(f"{item['title']} ({item['name']}): {item['volume_ml']:.1f} mL, {limit}", markup=False)
    for item in record["classifications"]:
        answer.print(f"{item['title']} ({item['name']}): probability {item['probability']:.2f}", markup=False)
    for item in record["treatment"]:
        said = "responder" if item["responder"] else "no responder"
        effect = f"{item['saved_ml']:.1f} mL less infarct with reperfusion, Dice {item['dice']:.2f}: {said}"
        answer.print(f"Treatment effect ({', '.join(item['models'])}): {effect}", markup=False)
