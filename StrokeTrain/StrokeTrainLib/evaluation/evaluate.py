"""``stroke evaluate``: a run, or a finished model, on patients whom it has not seen; tables, figures, report."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.output import staged_folder, write_text
from StrokePredictLib.models.bundle import Bundle, find_bundle, open_bundle
from StrokePredictLib.progress import Progress, part, silent
from StrokePredictLib.provenance import provenance

from ..cohort.index import index_cohort
from ..cohort.locked import read_locked
from ..cohort.select import Selection, select
from ..cohort.splits import Splits
from ..cohort.table import Patient
from ..data.cache import cache_folder
from ..training.run_folder import RunFolder
from . import methods_text
from .classification import classify_patients, summarise_classifier
from .cohort_flow import cohort_flow, refused_of, run_flow
from .external import predict_model
from .patients import evaluate_patients, has_second_reader, maps_in_doubt, rules_left_out
from .plots import Figure, draw_classifier, draw_maps
from .report import render
from .results import csv_text
from .same_cohort import require_same_cohort
from .sources import Source, from_model, from_run, training_notes
from .summary import RESAMPLES, SUBGROUPS, plain, require_subgroups, summarise
from .tables import Table, classifier_tables, estimate_text, map_tables

#: Where receipts lie in the output folder.
RECEIPTS = ".receipts"
SUMMARY, METRICS, REPORT = "summary.json", "metrics.csv", "report.html"
#: Raised when a key of summary.json changes its meaning or goes.
FORMAT = 1


@dataclass(frozen=True)
class Options:
    """What is chosen.

    Attributes
    ----------
    rules : bool or sequence of str
        Threshold rules beside the network (`patients.evaluate_patients`).
    subgroups : collection of str
        Names of `summary.SUBGROUPS`.
    cleaned : bool
        Clean the rules' masks.
    reader : bool or None
        Score a second reader; None: where there is one.
    distinct : bool
        Patients of names that the model knows are other people.
    only : collection of str, optional
        Test a model on these patients alone; otherwise on everybody but a locked test set that is not opened.
    seed, resamples : int
        Of the intervals.
    cache : Path, optional
        Where computed maps lie.
    device : str
        For predictions that are not there yet.
    scheduler, workers
        See `StrokeTrainLib.spread.work.spread`.
    """

    rules: bool | Sequence[str] = True
    subgroups: Collection[str] = tuple(SUBGROUPS)
    cleaned: bool = False
    reader: bool | None = None
    distinct: bool = False
    only: Collection[str] | None = None
    seed: int = 0
    resamples: int = RESAMPLES
    cache: Path | None = None
    device: str = "auto"
    scheduler: str | None = None
    workers: int | None = None


@dataclass
class Subject:
    """What is evaluated: a source of predictions, its patients, and what the report says of both."""

    source: Source
    patients: dict[str, Patient]
    bundle: Bundle
    methods: list[str]
    subtitle: str
    run: Mapping[str, Any] | None = None
    splits: Splits | None = None
    selection: Selection | None = None
    train_only: int = 0
    aside: int = 0
    notes: list[str] = field(default_factory=list)


def evaluate(
    data: Path | str,
    output: Path | str,
    *,
    run: Path | str | None = None,
    model: str | None = None,
    predictions: Path | str | None = None,
    options: Options | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Evaluate a run by its out-of-fold predictions, or a finished model on a cohort that it has not seen.

    Parameters
    ----------
    data : path-like
        The cohort's folder.
    output : path-like
        Gets ``metrics.csv``, ``summary.json``, ``tables/``, ``figures/`` and ``report.html``, whole or not at all.
    run : path-like, optional
        A training run on that cohort.
    model : str, optional
        Name of a model at hand, or a bundle's folder, instead of a run.
    predictions : path-like, optional
        Of the model: a folder a patient; made where they are missing. ``output/predictions`` if left out.
    options : Options, optional
        The defaults if left out.
    progress : Progress
        Told how far it is.

    Returns
    -------
    dict
        ``files``, ``patients``, ``scored``, ``notes`` and ``summary``, what ``summary.json`` holds.

    Raises
    ------
    StrokeError
        If neither or both of run and model are given, one of them cannot be used, or nobody is left to test.
    """
    options = options or Options()
    if (run is None) == (model is None):
        raise StrokeError("name what to evaluate: a training run (--run), or a model (--model); one of both.")
    require_subgroups(options.subgroups)
    cohort = index_cohort(data, progress=part(progress, 0.0, 0.05))
    output = Path(output)
    if run is not None:
        subject = _of_run(run, list(cohort), options)
    else:
        place = predictions or output / "predictions"
        subject = _of_model(str(model), Path(place), cohort, options, part(progress, 0.05, 0.3))
    score = _classifier if subject.source.task == "classification" else _maps
    return score(subject, output, options, part(progress, 0.3 if model else 0.05, 1.0))


def _of_run(run: Path | str, patients: list[Patient], options: Options) -> Subject:
    from ..recipes import load_recipe

    folder = RunFolder(Path(run))
    facts, recipe, splits = folder.read(), load_recipe(folder.recipe), Splits.load(folder.splits)
    require_same_cohort(facts, patients)
    source = from_run(run, patients, distinct=options.distinct)
    bundle = next(
        open_bundle(path) for number in range(1, len(splits.folds) + 1)
        if (path := folder.fold(number) / "bundle").is_dir()
    )  # fmt: skip
    said = methods_text.run_text(facts, recipe, splits, bundle, source)
    subtitle = f"{recipe.title} · {len(splits.folds)}-fold, out-of-fold · run {folder.path.name}"
    known = {patient.id: patient for patient in patients}
    return Subject(source, known, bundle, said, subtitle, run=facts, splits=splits, notes=training_notes(run))


def _of_model(model: str, predictions: Path, cohort: Any, options: Options, progress: Progress) -> Subject:
    bundle = open_bundle(find_bundle(model))
    card = bundle.card
    by_cbv = card.output == "probability" and methods_text.truth_of(card) == "cbv"
    needs = tuple(dict.fromkeys([c.role for c in card.channels if not c.optional] + (["cbv"] if by_cbv else [])))
    selection = select(cohort, needs, None if by_cbv else card.target, measure=False)
    free = [patient for patient in selection.kept if patient.role != "train-only"]
    chosen, notes = _of_those(free, cohort.root, options)
    if not chosen:
        raise StrokeError(f"{cohort.root}: every patient who could be tested is for training only, or locked.")
    truth = "cbv" if by_cbv else "outline"
    source = from_model(
        bundle, predictions, chosen, distinct=options.distinct, truth=truth, limit_ml=methods_text.limit_of(card)
    )
    source = predict_model(
        source, bundle, chosen, cache=options.cache, device=options.device, scheduler=options.scheduler,
        workers=options.workers, progress=progress,
    )  # fmt: skip
    subtitle = f"{card.title} · model {card.name}, on patients whom it has not seen"
    said = methods_text.model_text(bundle, source, options.distinct)
    left_out = [words for _, words in selection.excluded]
    return Subject(
        source, {patient.id: patient for patient in chosen}, bundle, said, subtitle, selection=selection,
        train_only=len(selection.kept) - len(free), aside=len(free) - len(chosen),
        notes=[*selection.notes, *notes, *left_out],
    )  # fmt: skip


def _of_those(patients: list[Patient], root: Path, options: Options) -> tuple[list[Patient], list[str]]:
    """Return whom to test, and a sentence about a locked test set."""
    found = read_locked(root)
    said = [f"Locked test set: {found.words()}"] if found is not None else []
    if options.only is not None:
        return [patient for patient in patients if patient.id in set(options.only)], said
    aside = found.kept_out if found is not None else frozenset()
    return [patient for patient in patients if not {patient.id, patient.person} & aside], said


def _maps(subject: Subject, output: Path, options: Options, progress: Progress) -> dict[str, Any]:
    source = subject.source
    tested = [patient for patient in subject.patients.values() if patient.id in source.places]
    reader = has_second_reader(tested, source.target) if options.reader is None else options.reader
    results = evaluate_patients(
        tested, [source], output / RECEIPTS, rules=options.rules, reader=reader, cleaned=options.cleaned,
        cache=options.cache, scheduler=options.scheduler, workers=options.workers, progress=part(progress, 0.0, 0.75),
    )  # fmt: skip
    summary = plain(summarise(
        results, [source], subgroups=options.subgroups, seed=options.seed, resamples=options.resamples,
        progress=part(progress, 0.75, 0.85),
    ))  # fmt: skip
    if options.rules is True:
        subject.notes += rules_left_out(tested, source.target, results.of_kind("rule"))
    subject.notes += maps_in_doubt(tested, subject.bundle.card, results.of_kind("rule"), cache_folder(options.cache))
    scored = [name for name, known in zip(results.patients, results.scored(source.name), strict=True) if known]
    people = (len(scored), _persons(subject, scored))
    subject.methods += methods_text.scoring_text(
        results.target, results.of_kind("rule"), options.cleaned, options.seed, options.resamples, people
    )

    def draw(folder: Path) -> list[Figure]:
        progress(0.88, "figures")
        cache = cache_folder(options.cache)
        shown, known = results.tested(), subject.patients
        return draw_maps(shown, [source], known, folder, cache, summary, options.seed, options.cleaned)

    return _write(subject, output, options, summary, csv_text(results.table()), map_tables(summary), draw, scored,
                  results.facts, _headline(summary, source.name))  # fmt: skip


def _classifier(subject: Subject, output: Path, options: Options, progress: Progress) -> dict[str, Any]:
    source = subject.source
    tested = [patient for patient in subject.patients.values() if patient.id in source.places]
    found = classify_patients(
        tested, source, output / RECEIPTS, cache=options.cache, scheduler=options.scheduler, workers=options.workers,
        progress=part(progress, 0.0, 0.85),
    )  # fmt: skip
    summary = plain(summarise_classifier(found, seed=options.seed))
    scored = [row["patient"] for row in found.rows if row["large"] is not None and row["probability"] is not None]
    people = (len(scored), _persons(subject, scored))
    subject.methods += methods_text.classifier_text(options.seed, source.threshold, source.truth, people)
    overall = summary["overall"]
    head = [("AUC", estimate_text(overall["auc"])), ("Accuracy", estimate_text(overall["accuracy"]))]
    return _write(subject, output, options, summary, csv_text(found.rows), classifier_tables(summary),
                  lambda folder: draw_classifier(found, folder, options.seed), scored,
                  {row["patient"]: row for row in found.rows}, head)  # fmt: skip


def _write(
    subject: Subject, output: Path, options: Options, summary: dict[str, Any], metrics: str, tables: list[Table],
    draw: Any, scored: list[str], facts: Mapping[str, Mapping[str, Any]], headline: list[tuple[str, str]],
) -> dict[str, Any]:
    """Write every file, all or none."""
    source = subject.source
    flow = _flow(subject, scored, facts)
    persons = _persons(subject, scored)
    notes = list(dict.fromkeys([*methods_text.persons_note(len(scored), persons), *summary["notes"], *subject.notes]))
    chosen = {"method": source.name, "seed of the intervals": options.seed, "resamples": options.resamples}
    if source.task == "segmentation":
        chosen |= {"rules": [m for m, found in summary["methods"].items() if found["kind"] == "rule"]}
        chosen |= {"rules cleaned": options.cleaned, "subgroups": list(options.subgroups)}
    told = {"seed of the training" if key == "seed" else key: value for key, value in source.facts.items()}
    made_by = provenance({}, chosen | told, "matplotlib", "torch")
    methods = [*subject.methods, methods_text.versions_text(made_by)]
    whole = {"format": FORMAT, "source": dict(source.facts), "persons": persons} | summary | {
        "flow": flow.record(), "notes": notes, "methods_text": " ".join(methods), "provenance": made_by,
    }  # fmt: skip
    with staged_folder(output, owns=("tables/*.csv", "figures/*.pdf", "figures/*.png")) as stage:
        (stage / "figures").mkdir()
        (stage / "tables").mkdir()
        figures = draw(stage / "figures")
        for table in tables:
            write_text(stage / "tables" / f"{table.name}.csv", csv_text(table.records()))
        write_text(stage / METRICS, metrics)
        write_text(stage / SUMMARY, json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        write_text(stage / "flow.svg", flow.svg())
        several = f" (records of {persons} persons)" if persons < len(scored) else ""
        count = ("Patients tested", f"{len(scored)} of {flow.assessed}{several}")
        page = render(
            title=f"Evaluation of {source.name}", subtitle=subject.subtitle, facts=[count, *headline], methods=methods,
            flow=flow, tables=tables, figures=figures, folder=stage / "figures", notes=notes,
            simulated=summary["simulated"], demonstration=subject.bundle.card.demonstration, provenance=made_by,
        )  # fmt: skip
        write_text(stage / REPORT, page)
        names = sorted(path.relative_to(stage).as_posix() for path in stage.rglob("*") if path.is_file())
    first = (REPORT, METRICS, SUMMARY)
    files = [str(output / name) for name in (*first, *(name for name in names if name not in first))]
    return {"files": files, "patients": summary["patients"], "scored": len(scored), "notes": notes, "summary": whole}


def _persons(subject: Subject, scored: Collection[str]) -> int:
    """Return how many people those who were scored are."""
    return len({subject.patients[name].person for name in scored})


def _flow(subject: Subject, scored: list[str], facts: Mapping[str, Mapping[str, Any]]) -> Any:
    refused = refused_of(subject.source.places)
    if subject.run is not None:
        return run_flow(subject.run, subject.splits, subject.patients, scored, refused, facts)
    left = {"For training only": subject.train_only, "Locked, or not asked for": subject.aside}
    return cohort_flow(subject.selection, subject.patients, left, scored, refused, facts)


def _headline(summary: Mapping[str, Any], method: str) -> list[tuple[str, str]]:
    found, volumes = summary["methods"][method]["metrics"], summary["volumes"][method]
    rho = {"value": volumes["concordance"], "low": volumes["concordance_low"], "high": volumes["concordance_high"]}
    medians = [
        (name, estimate_text({"value": found[key]["median"]} | {e: found[key][f"median_{e}"] for e in ("low", "high")}))
        for name, key in (("Median Dice (95 % CI)", "dice"), ("Median AUC (95 % CI)", "auc"))
    ]
    return [*medians, ("Lin's ρc of volumes (95 % CI)", estimate_text(rho))]
