"""The ``stroke`` command line. It only reads words, calls a job and prints its answer."""

from __future__ import annotations

import io
import signal
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from StrokePredictLib import __version__, jobs
from StrokePredictLib.errors import StrokeError

from .answers import end_cohort, print_answers, print_doubts, print_predictions, print_volumes
from .bench import bench
from .check import add_commands
from .cohort import Scheduler, Workers, cohort_app
from .console import answer, print_files, print_json, stage, terminal
from .evaluate import evaluate
from .experiment import experiment
from .train import train

app = typer.Typer(
    name="stroke",
    help="Perfusion maps, tissue thresholds and infarct prediction for acute ischaemic stroke. NOT FOR CLINICAL USE.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
model_app = typer.Typer(help="The models at hand.", no_args_is_help=True)
app.add_typer(model_app, name="model")
app.add_typer(cohort_app, name="cohort")
add_commands(app)
app.command()(bench)
app.command()(train)
app.command()(evaluate)
app.command()(experiment)

Output = Annotated[Path, typer.Option("-o", "--output", help="Folder to write into.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")]
CaseFolder = Annotated[Path | None, typer.Argument(help="A patient's folder, or a cohort's with --patient.")]
Patient = Annotated[str | None, typer.Option(help="Which patient of a cohort.")]
File = Annotated[Path | None, typer.Option(help="This image, whatever the folder holds.")]
Override = Annotated[str | None, typer.Option(help="Name of the reader who accepts a failed quality check.")]
Method = Annotated[str | None, typer.Option(help="Deconvolution: bsvd, osvd, tikhonov or vascular.")]


def run() -> None:
    """Run the command line; exit 0 done, 2 the user's mistake, 1 ours."""
    for stream in (sys.stdout, sys.stderr):
        # A pipe on Windows knows neither ≥ nor an umlaut; no result may be lost over its spelling.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    signal.signal(signal.SIGTERM, _stopped)
    try:
        app(prog_name="stroke")
    except StrokeError as error:
        # Names may hold brackets, which are no markup.
        terminal.print(f"error: {' '.join(str(error).split())}", style="red", markup=False, emoji=False)
        sys.exit(2)
    except KeyboardInterrupt:
        terminal.print("cancelled; what was finished stays, nothing is half-written.")
        sys.exit(130)
    except Exception:
        traceback.print_exc()
        terminal.print("This is a fault of the software, not of your data. Please report the lines above.")
        sys.exit(1)


def _stopped(number: int, frame: object) -> None:
    """End as on Ctrl-C, so that what was begun is cleaned up."""
    raise KeyboardInterrupt


@app.callback(invoke_without_command=True)
def about(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Take the options that stand before a command."""
    if version:
        answer.print(f"SlicerStrokeInfarct {__version__}")
        raise typer.Exit


@app.command()
def demo(
    output: Output = Path("stroke-demo"),
    seed: Annotated[int, typer.Option(help="Which simulated patient.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Do the main job on a simulated patient: images, maps, thresholds, prediction, scene, report."""
    from .demo import print_result

    result = jobs.run("demo", output=output, seed=seed)
    print_json(result) if as_json else print_result(result)


@app.command()
def analyse(
    output: Output,
    case: CaseFolder = None,
    patient: Patient = None,
    dwi: File = None,
    b0: File = None,
    adc: File = None,
    pwi: File = None,
    ctp: File = None,
    tmax: File = None,
    cbf: File = None,
    cbv: File = None,
    brain: File = None,
    method: Method = None,
    demonstration: Annotated[bool, typer.Option(help="Run models trained on simulated patients, too.")] = False,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    override: Override = None,
    as_json: AsJson = False,
) -> None:
    """Do the main job on a patient's own images: maps, thresholds, prediction, scene, report."""
    from .demo import shown_files
    from .tables import volume_table

    files = _files(dwi=dwi, b0=b0, adc=adc, pwi=pwi, ctp=ctp, tmax=tmax, cbf=cbf, cbv=cbv, brain=brain)
    result = jobs.run(
        "analyse", output=output, folder=case, patient=patient, files=files, method=method,
        demonstration=demonstration, device=device, override=override,
    )  # fmt: skip
    if as_json:
        print_json(result)
        return
    answer.print(volume_table(result["volumes"]))
    if result["prediction"]:
        print_answers(result["prediction"])
    print_doubts(result["doubts"])
    print_files(shown_files(result["files"]))


@app.command()
def phantom(
    output: Output,
    cases: Annotated[int, typer.Option(min=1, help="How many patients.")] = 1,
    seed: Annotated[int, typer.Option(help="Same seed, same files.")] = 0,
    modality: Annotated[str, typer.Option(help="MR or CT.")] = "MR",
    vendor: Annotated[str, typer.Option(help="A, B or both.")] = "A",
    population: Annotated[str, typer.Option(help="lvo, yu2020, debs2021 or dwi.")] = "lvo",
    centers: Annotated[int, typer.Option(min=1, help="Among how many hospitals.")] = 1,
    perfusion: Annotated[bool, typer.Option(help="With the perfusion series, most of time and disk.")] = True,
    workers: Annotated[int, typer.Option(min=0, help="Processes side by side; 0: one for each core.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Simulate a cohort with its truth."""
    _job(
        "phantom", "Simulating", as_json, output=output, cases=cases, seed=seed, modality=modality, vendor=vendor,
        population=population, centers=centers, perfusion=perfusion, workers=workers,
    )  # fmt: skip


@app.command()
def perfusion(
    series: Annotated[Path, typer.Argument(help="4D series.")],
    output: Output,
    modality: Annotated[str | None, typer.Option(help="MR or CT; recognised if left out.")] = None,
    interval: Annotated[float | None, typer.Option(help="Seconds between frames.")] = None,
    times: Annotated[Path | None, typer.Option(help="File with the time of every frame in s.")] = None,
    echo_time: Annotated[float | None, typer.Option(help="Echo time in s (MR).")] = None,
    mask: Annotated[Path | None, typer.Option(help="Brain mask on the series' grid.")] = None,
    aif: Annotated[str, typer.Option(help="auto; a CSV; an image of a region; voxel:X,Y,Z or point:X,Y,Z.")] = "auto",
    vof: Annotated[str, typer.Option(help="Venous output: auto; an image of a region; voxel:… or point:….")] = "auto",
    method: Method = None,
    smoothing: Annotated[float | None, typer.Option(help="In-plane width (FWHM, mm); CT 5, MR none.", min=0)] = None,
    as_json: AsJson = False,
) -> None:
    """Make CBF, CBV, MTT, Tmax and TTP maps from a raw perfusion series."""
    chosen = {"method": method} if method else {}
    chosen |= {"smoothing": smoothing} if smoothing is not None else {}
    result = _job(
        "perfusion", "Perfusion maps", as_json, series=series, output=output, modality=modality, interval=interval,
        times=times, echo_time=echo_time, mask=mask, aif=aif, vof=vof, **chosen,
    )  # fmt: skip
    if not as_json:
        found = result["summary"]
        failed = [f"Quality check failed: {check['sentence']}" for check in found["quality"] if not check["passed"]]
        print_doubts([*failed, *found["warnings"]])


@app.command()
def threshold(
    output: Output,
    case: CaseFolder = None,
    patient: Patient = None,
    dwi: File = None,
    b0: File = None,
    adc: File = None,
    tmax: File = None,
    cbf: File = None,
    cbv: File = None,
    brain: File = None,
    adc_below: Annotated[float | None, typer.Option(help="Core limit in 10⁻⁶ mm²/s instead of 620.")] = None,
    tmax_above: Annotated[float | None, typer.Option(help="Hypoperfusion limit in s instead of 6.")] = None,
    rcbf_below: Annotated[float | None, typer.Option(help="CT core: share of normal flow instead of 0.3.")] = None,
    skip: Annotated[str | None, typer.Option(help="Cleaning steps to leave out: dwi, csf, islands, far.")] = None,
    override: Override = None,
    as_json: AsJson = False,
) -> None:
    """Apply the tissue rules: core, hypoperfusion, mismatch, trial criteria."""
    files = _files(dwi=dwi, b0=b0, adc=adc, tmax=tmax, cbf=cbf, cbv=cbv, brain=brain)
    result = _job(
        "threshold", "Tissue thresholds", as_json, output=output, folder=case, patient=patient, files=files,
        adc=adc_below, tmax=tmax_above, rcbf=rcbf_below, skip=_words(skip), override=override,
    )  # fmt: skip
    if not as_json:
        print_volumes(result["volumes"])


@app.command()
def predict(
    output: Output,
    case: CaseFolder = None,
    patient: Patient = None,
    model: Annotated[str | None, typer.Option(help="Names or bundle folders, with commas between.")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    dwi: File = None,
    b0: File = None,
    adc: File = None,
    tmax: File = None,
    cbf: File = None,
    cbv: File = None,
    mtt: File = None,
    ctp: File = None,
    brain: File = None,
    sections: Annotated[
        str | None, typer.Option(help="For a classifier: its sections, counted from the foot end from 0, as 7,11.")
    ] = None,
    override: Override = None,
    scheduler: Scheduler = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Run the networks; every model whose inputs exist, unless --model names some."""
    if scheduler or workers:
        if override:
            raise StrokeError("--override is for one patient: a reader accepts a series that they looked at.")
        _predict_spread(case, output, _words(model), device, scheduler, workers, as_json)
        return
    files = _files(dwi=dwi, b0=b0, adc=adc, tmax=tmax, cbf=cbf, cbv=cbv, mtt=mtt, ctp=ctp, brain=brain)
    result = _job(
        "predict", "Prediction", as_json, output=output, folder=case, patient=patient, files=files,
        models=_words(model), device=device, levels=_numbers(sections), override=override,
    )  # fmt: skip
    if "cohort" in result:
        end_cohort(result["cohort"], as_json)
    elif not as_json:
        print_predictions(result["prediction"])


@app.command("test", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run_suite(
    context: typer.Context,
    slow: Annotated[bool, typer.Option("--slow", help="Also what is too long for every day.")] = False,
) -> None:
    """Run the test suite of a checkout; further words go to pytest."""
    from .testing import run_tests

    raise typer.Exit(run_tests(slow, context.args))


@model_app.command("list")
def model_list(as_json: AsJson = False) -> None:
    """List the models at hand."""
    from StrokePredictLib.models.listing import list_models

    from .models import print_models

    found = list_models()
    print_json(found) if as_json else print_models(found)


@model_app.command("show")
def model_show(name: str, as_json: AsJson = False) -> None:
    """Show a model's card."""
    from .models import print_card, show_model

    card = show_model(name)
    print_json(card) if as_json else print_card(card)


@model_app.command("verify")
def model_verify(name: str) -> None:
    """Check a model's files against its hashes."""
    from StrokePredictLib.models.bundle import find_bundle, open_bundle

    bundle = open_bundle(find_bundle(name))
    answer.print(f"{bundle.card.name}: every file is as listed (weights {bundle.sha256[:16]}…).")


def _words(text: str | None) -> list[str] | None:
    """Return the words of an option that takes several, with commas between; None where it was not given."""
    return [word.strip() for word in text.split(",") if word.strip()] if text else None


def _numbers(text: str | None) -> list[int] | None:
    try:
        return [int(word) for word in _words(text) or []] or None
    except ValueError as error:
        raise StrokeError(f"--sections {text}: whole numbers with commas between are needed, as 7,11.") from error


@model_app.command("install")
def model_install(
    source: Annotated[Path, typer.Argument(help="A bundle's folder, or a zip of it.")],
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of a model of the same name.")] = False,
) -> None:
    """Check a model and put it into your own folder."""
    from StrokePredictLib.models.install import install

    bundle = install(source, replace=replace)
    answer.print(f"{bundle.card.name}: installed in {bundle.folder} (weights {bundle.sha256[:16]}…).", markup=False)


@model_app.command("remove")
def model_remove(name: str) -> None:
    """Delete a model that was installed."""
    from StrokePredictLib.models.install import remove

    answer.print(f"{name}: removed from {remove(name).parent}.", markup=False)


def _files(**paths: Path | None) -> dict[str, str]:
    return {role: str(path) for role, path in paths.items() if path is not None}


def _job(name: str, title: str, as_json: bool, **parameters: Any) -> dict[str, Any]:
    """Run a job with its progress shown, and print what it wrote."""
    with stage(title) as progress:
        result = jobs.run(name, progress=progress, **parameters)
    print_json(result) if as_json else print_files(result["files"])
    return result


def _predict_spread(
    folder: Path | None, output: Path, models: list[str] | None, device: str, scheduler: str | None,
    workers: int | None, as_json: bool,
) -> None:  # fmt: skip
    from StrokeTrainLib.cohort.index import index_cohort
    from StrokeTrainLib.spread.cases import predict_cohort

    if folder is None:
        raise StrokeError("--scheduler and --workers are for a cohort: name its folder.")
    with stage("Prediction") as progress:
        result = predict_cohort(
            output, index_cohort(folder), models=models, device=device, scheduler=scheduler, workers=workers,
            progress=progress,
        )  # fmt: skip
    print_json(result) if as_json else print_files(result["files"])
    end_cohort(result["cohort"], as_json)
