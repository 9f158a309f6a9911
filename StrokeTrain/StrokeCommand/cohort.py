"""``stroke cohort``: who has what, who is left out and why, splits, and perfusion maps of everybody."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from StrokePredictLib import jobs
from StrokePredictLib.io.output import staged_folder, write_text
from StrokePredictLib.progress import Progress, part

from .console import answer, print_files, print_json, stage, terminal

if TYPE_CHECKING:
    from StrokeTrainLib.cohort.select import Selection
    from StrokeTrainLib.cohort.table import Cohort

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")]
Folder = Annotated[Path, typer.Argument(help="A cohort's folder: BIDS, ISLES'17, '18, '22, '24, or loose folders.")]
Target = Annotated[str, typer.Option(help="Label that must be there: final-infarct or acute-core.")]
Needs = Annotated[str, typer.Option(help="Images that must be there or can be computed, with commas between.")]
Rules = Annotated[str | None, typer.Option(help="Also leave out whom a paper left out: yu or debs.")]
Scheduler = Annotated[str | None, typer.Option(help="Address of a dask scheduler, as tcp://host:8786 or file:PATH.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Worker processes on this machine.")]

cohort_app = typer.Typer(help="Many patients at once.", no_args_is_help=True)


@cohort_app.command("check")
def check_cohort(
    folder: Folder,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the contact sheet.")] = Path(
        "cohort-check"
    ),
    target: Target = "final-infarct",
    needs: Needs = "",
    rules: Rules = None,
    quick: Annotated[bool, typer.Option("--quick", help="Read names, headers and labels, no images.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check every patient of a cohort: what is there, every doubt, who is left out and why; draw a contact sheet."""
    with stage("Indexing") as progress:
        cohort, selection = _selected(folder, target, needs, rules, progress)
    checked: dict[str, Any] = {"patients": [], "files": []}
    if not quick:
        with stage("Checking the cohort") as progress:
            checked = jobs.run("check", folder=folder, cohort=True, output=output, progress=progress)
    files = [*checked["files"], *_write_check(output, cohort, selection)]
    if as_json:
        print_json(checked | {"files": files, "selection": selection.record(), "index": _rows(cohort)})
        return
    why = {patient.id: reason for patient, reason in selection.excluded}
    _print_checked(checked["patients"], why) if not quick else _print_index(cohort, why)
    _print_selection(selection, target)
    print_files(files)


@cohort_app.command("index")
def index(folder: Folder, as_json: AsJson = False) -> None:
    """List who has which images and labels; reads names and headers alone."""
    cohort = _indexed(folder)
    if as_json:
        print_json({"root": str(cohort.root), "patients": _rows(cohort), "notes": list(cohort.notes)})
        return
    _print_index(cohort, {})
    notes = (sentence for patient in cohort for sentence in (*patient.problems, *patient.notes))
    for sentence in (*cohort.notes, *notes):
        answer.print(f"! {sentence}", markup=False)


@cohort_app.command("split")
def split(
    folder: Folder,
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")] = Path("splits.json"),
    scheme: Annotated[str, typer.Option(help="5-fold, 10-fold, K-fold or 80-10-10.")] = "5-fold",
    seed: Annotated[int, typer.Option(help="Same seed, same splits.")] = 0,
    locked: Annotated[float, typer.Option(help="Share of patients for the locked test set.")] = 0.0,
    calibration: Annotated[float, typer.Option(help="Share of patients for conformal calibration alone.")] = 0.0,
    target: Target = "final-infarct",
    needs: Needs = "",
    rules: Rules = None,
    as_json: AsJson = False,
) -> None:
    """Split a cohort by patient, balanced by reperfusion, lesion volume and centre; a locked test set stays out."""
    from StrokeTrainLib.cohort.locked import kept_out as locked_of
    from StrokeTrainLib.cohort.splits import check_classes, make_splits

    with stage("Splitting") as progress:
        _, selection = _selected(folder, target, needs, rules, progress, may_be_empty=False)
        splits = make_splits(
            selection.kept, scheme, seed, volumes=selection.volumes, locked=locked, calibration=calibration,
            excluded=[reason for _, reason in selection.excluded], kept_out=locked_of(folder),
        )  # fmt: skip
        doubts = check_classes(splits, {name: ml > 0 for name, ml in selection.volumes.items()})
    splits.save(output)
    if as_json:
        print_json(json.loads(splits.to_json()) | {"files": [str(output)], "doubts": doubts})
        return
    table = Table("fold", "train", "validation", "test")
    for number, fold in enumerate(splits.folds, 1):
        table.add_row(str(number), *(str(len(part)) for part in (fold.train, fold.validation, fold.test)))
    answer.print(table)
    kept_out = f"Kept out: {len(splits.locked)} locked, {len(splits.calibration)} for calibration"
    answer.print(f"{kept_out}; {len(splits.train_only)} train only; {len(selection.excluded)} left out.")
    for sentence in (*splits.notes, *doubts):
        answer.print(f"! {sentence}", markup=False)
    print_files([str(output)])


@cohort_app.command("lock")
def lock(
    folder: Folder,
    share: Annotated[float, typer.Option(help="Of the patients with the label, up to 0.5.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Same seed, same patients.")] = 0,
    by: Annotated[str, typer.Option(help="Who locks.")] = "",
    target: Target = "final-infarct",
    as_json: AsJson = False,
) -> None:
    """Lock a test set, once: its patients stand in no split until it is opened."""
    with stage("Locking") as progress:
        made = jobs.run("lock", folder=folder, share=share, seed=seed, by=by, target=target, progress=progress)
    _say(made, as_json)


@cohort_app.command("open")
def open_test_set(
    folder: Folder,
    reason: Annotated[str, typer.Option(help="Why; it is recorded in the cohort's folder.")],
    by: Annotated[str, typer.Option(help="Who opens.")] = "",
    as_json: AsJson = False,
) -> None:
    """Open the locked test set for a reason, to test a finished model on it."""
    from StrokeTrainLib.cohort.locked import open_locked

    found = open_locked(folder, reason, by=by)
    _say({"files": [], "patients": list(found.patients), "words": found.words()}, as_json)


def _say(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    answer.print(found["words"], markup=False)
    answer.print(" ".join(found["patients"]), markup=False)


@cohort_app.command("maps")
def maps(
    folder: Folder,
    method: Annotated[str, typer.Option(help="Deconvolution, as of stroke perfusion.")] = "bsvd",
    scheduler: Scheduler = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Compute the perfusion maps of every series that has none, or has old ones, into the cohort's derivatives."""
    from StrokeTrainLib.spread.cases import compute_cohort_maps, failed_quality

    cohort = _indexed(folder)
    with stage("Perfusion maps") as progress:
        outcome, left_out = compute_cohort_maps(
            cohort, scheduler=scheduler, workers=workers, method=method, progress=progress
        )
    files = [name for result in outcome.done.values() for name in result["files"]]
    doubtful = failed_quality(cohort)
    if as_json:
        print_json({
            "done": list(outcome.done), "skipped": list(outcome.skipped), "failed": outcome.failed,
            "left_out": left_out, "quality_failed": doubtful, "workers": outcome.workers, "files": files,
        })  # fmt: skip
    else:
        answer.print(f"{len(outcome.done)} computed, {len(outcome.skipped)} done before, {len(left_out)} without need")
        for reason, count in Counter(left_out.values()).items():
            answer.print(f"  {count} of these: {reason}", markup=False)
        if doubtful:
            few = ", ".join(doubtful[:10]) + (f" and {len(doubtful) - 10} more" if len(doubtful) > 10 else "")
            answer.print(f"! {len(doubtful)} series failed the quality check (perfusion.json says why): {few}",
                         markup=False)  # fmt: skip
    for item, reason in outcome.failed.items():
        terminal.print(f"{item} failed: {reason}", markup=False)
    if outcome.failed:
        raise typer.Exit(2)


def _indexed(folder: Path) -> Cohort:
    from StrokeTrainLib.cohort.index import index_cohort

    with stage("Indexing") as progress:
        return index_cohort(folder, progress=progress)


def _selected(
    folder: Path, target: str, needs: str, rules: str | None, progress: Progress, *, may_be_empty: bool = True
) -> tuple[Cohort, Selection]:
    from StrokeTrainLib.cohort.index import index_cohort
    from StrokeTrainLib.cohort.select import select

    cohort = index_cohort(folder, progress=part(progress, 0.0, 0.5))
    roles = [word.strip() for word in needs.split(",") if word.strip()]
    labels = part(progress, 0.5, 1.0)
    return cohort, select(cohort, roles, target, rules=rules, may_be_empty=may_be_empty, progress=labels)


def _write_check(output: Path, cohort: Cohort, selection: Selection) -> list[str]:
    """Write the flow diagram and who was left out; return the paths."""
    record = selection.record() | {"index": _rows(cohort)}
    with staged_folder(output) as stage_folder:
        write_text(stage_folder / "flow.svg", selection.flow.svg())
        write_text(stage_folder / "cohort.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return [str(output / "flow.svg"), str(output / "cohort.json")]


def _rows(cohort: Cohort) -> list[dict[str, Any]]:
    return [
        {
            "patient": patient.id,
            "images": sorted(patient.images),
            "later": {session: sorted(roles) for session, roles in patient.later.items()},
            "labels": [
                {"target": item.target, "file": item.path.name, "reader": item.reader, "read": item.read,
                 "grid": item.grid} for item in patient.labels
            ],
            "role": patient.role,
            "vendor": patient.vendor,
            "center": patient.center,
            "problems": list(patient.problems),
            "notes": list(patient.notes),
        }
        for patient in cohort
    ]  # fmt: skip


def _print_checked(entries: list[dict[str, Any]], why: dict[str, str]) -> None:
    table = Table("patient", "images", "ready for", "left out because", "doubts")
    for entry in entries:
        ready = sum(task["ready"] for task in entry["tasks"])
        told = entry["error"] or str(len(entry["doubts"]) or "none")
        images = " ".join(image["role"] for image in entry["images"])
        reason = why.get(entry["patient"], "").removeprefix(f"{entry['patient']}: ")
        table.add_row(entry["patient"], images, f"{ready} of {len(entry['tasks'])}", reason or "-", told)
    answer.print(table)
    whose: dict[str, list[str]] = {}
    for entry in entries:
        for doubt in entry["doubts"]:
            whose.setdefault(doubt, []).append(entry["patient"])
    for doubt, names in whose.items():
        few = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        answer.print(f"! {few}: {doubt}", markup=False)


def _print_index(cohort: Cohort, why: dict[str, str]) -> None:
    table = Table("patient", "images", "follow-up", "labels", "role", "left out because")
    for patient in cohort:
        later = "; ".join(f"{session}: {' '.join(sorted(roles))}" for session, roles in sorted(patient.later.items()))
        labels = " ".join(sorted({item.target + ("" if item.usable else " (other grid)") for item in patient.labels}))
        reason = why.get(patient.id, patient.problems[0] if patient.problems else "")
        reason = reason.removeprefix(f"{patient.id}: ") or "-"
        table.add_row(patient.id, " ".join(sorted(patient.images)), later, labels, patient.role, reason)
    answer.print(table)


def _print_selection(selection: Selection, target: str) -> None:
    answer.print(f"For {target}:", markup=False)
    answer.print(selection.flow.text(), markup=False)
    for sentence in selection.notes:
        answer.print(f"! {sentence}", markup=False)
    # A patient of whom only the table knows has no row of its own above.
    for patient, reason in selection.excluded:
        if not patient.images:
            answer.print(f"! {reason}", markup=False)
