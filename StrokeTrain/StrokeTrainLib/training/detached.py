"""A run in a process of its own, which outlives whoever started it.

``python -m StrokeTrainLib.training.detached FILE``; ``FILE`` is the run's ``launch.json``
(`StrokeTrainLib.training.control.launch`). What goes wrong before the run has a status of its own is written into it,
for the panel that follows.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictLib.io.output import write_text


def main(arguments: list[str]) -> int:
    """Train as a launch file says; return the exit code."""
    from StrokePredictLib.threads import limit_threads

    from .control import stop_asked

    path = Path(arguments[0])
    told = read_json_object(path) | {"pid": os.getpid()}
    write_text(path, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    limit_threads()
    if stop_asked(path.parent):
        return 130
    try:
        _experiment(path.parent, told["job"]) if "experiment" in told["job"] else _train(path.parent, told["job"])
    except KeyboardInterrupt:
        return 130
    except StrokeError as error:
        _say(path, " ".join(str(error).split()))
        return 2
    except Exception as error:
        traceback.print_exc()
        _say(path, f"a fault of the software, not of your data: {type(error).__name__}: {error}; see console.txt.")
        return 1
    return 0


def _train(run: Path, job: dict[str, Any]) -> None:
    from .begin import Options
    from .train import recipe_for, train

    resume = bool(job.get("resume"))
    recipe = recipe_for(
        job.get("recipe"), run, resume=resume, overrides=job.get("overrides") or {}, folds=job.get("folds"),
        epochs=job.get("epochs"),
    )  # fmt: skip
    data, cache = job.get("data"), job.get("cache")
    options = Options(
        data=Path(data) if data else None, seed=job.get("seed"), device=job.get("device") or "auto",
        init=job.get("init") or None, cache=Path(cache) if cache else None, workers=job.get("workers"),
        threads=job.get("threads"),
    )  # fmt: skip
    train(recipe, run, options, resume=resume)


def _experiment(folder: Path, job: dict[str, Any]) -> None:
    """Run an experiment; it has no status file of its own, so that its progress is told here."""
    from ..experiments.run import run_experiment
    from ..experiments.setting import Setting
    from .status import Status
    from .stop import stoppable

    status = Status(folder / "status.json")
    status.write()

    def tell(fraction: float, words: str) -> None:
        status.update(state="training", share=fraction, message=words)

    setting = Setting(Path(job["data"]), folder, quick=bool(job.get("quick")), device=job.get("device") or "auto")
    try:
        with stoppable(lambda: status.last(state="stopped")):
            run_experiment(job["experiment"], setting, tell)
    except KeyboardInterrupt:
        status.last(state="stopped", message="")
        raise
    except BaseException as error:
        status.last(state="failed", message=" ".join(str(error).split()))
        raise
    status.last(state="done", message="")


def _say(path: Path, words: str) -> None:
    write_text(path, json.dumps(read_json_object(path) | {"error": words}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    # Threads that make batches may take their time to end; everything is written.
    os._exit(code)
