"""kill -9 of a real Slicer that trains: the run goes on, and a new Slicer finds it.

``python Testing/Slicer/slicer_killed.py SLICER COHORT``: starts Slicer, in it a long training run by the panel's
button, kills Slicer once two epochs are done, starts a new one, and asks of it that the run that it finds by itself has
gone on, that none of its epochs is lost, and that Stop ends it. Prints what happened; exit code 1 where it is not so.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve()
REPOSITORY = HERE.parents[2]
SETTINGS = {"matrix": "[32, 32]", "spacing_mm": "[6.5, 6.5]", "training.batch": "6", "sampling.validation": "brain"}


def outside(slicer: str, cohort: Path) -> int:
    """Start, kill, start again."""
    run = cohort.parent / "killed-run"
    first = _slicer(slicer, "begin", cohort, run)
    log = run / "fold-1" / "log.jsonl"
    _wait(lambda: len(_lines(log)) >= 2, 300, "two epochs")
    known = json.loads((run / "launch.json").read_text())["pid"]
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    before = _lines(log)
    alive = Path(f"/proc/{known}").exists()
    print(f"Slicer killed after {len(before)} epochs; training process {known} alive: {alive}")
    _wait(lambda: len(_lines(log)) > len(before) + 1, 300, "epochs without Slicer")
    print(f"without Slicer: {len(_lines(log)) - len(before)} more epochs")
    second = _slicer(slicer, "found", cohort, run)
    code = second.wait(600)
    kept = _lines(log)[: len(before)] == before
    print(f"earlier epochs unchanged: {kept}; the new Slicer left with {code}")
    return 0 if kept and code == 0 else 1


def _slicer(slicer: str, what: str, cohort: Path, run: Path) -> subprocess.Popen:
    # Without --testing, which begins with settings of its own and forgets them.
    words = [slicer, "--no-splash", "--additional-module-paths", str(REPOSITORY / "StrokePredict"),
             str(REPOSITORY / "StrokeTrain"), "--python-script", str(HERE), what, str(cohort), str(run)]  # fmt: skip
    return subprocess.Popen(words, start_new_session=True)


def _lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.is_file() else []


def _wait(until, seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not until():
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)


def begin(cohort: Path, run: Path) -> None:
    """Choose the cohort and press Start, then idle until killed."""
    import slicer
    from harness import wait

    slicer.util.selectModule("StrokeTrain")
    panel = slicer.util.getModuleWidget("StrokeTrain").panel
    panel.sections["cohort"].choose(str(cohort))
    wait(lambda: panel.settled, 300)
    ui = panel.sections["experiment"].ui
    ui.recipeBox.setCurrentIndex(ui.recipeBox.findData("debs2021"))
    ui.presetBox.setCurrentIndex(ui.presetBox.findData("small"))
    for row in range(ui.settingsTable.rowCount):
        path = ui.settingsTable.item(row, 0).text()
        if path in SETTINGS:
            ui.settingsTable.item(row, 1).setText(SETTINGS[path])
    ui.foldsSpin.setValue(2)
    ui.epochsSpin.setValue(900)
    ui.runEdit.setCurrentPath(str(run))
    ui.startButton.click()
    wait(lambda: False, 900)


def found(cohort: Path, run: Path) -> None:
    """Open the panel: the run must be there without being asked for, must go on, and must stop."""
    import slicer
    from harness import wait

    from StrokeTrainLib.training import control

    slicer.util.selectModule("StrokeTrain")
    panel = slicer.util.getModuleWidget("StrokeTrain").panel
    section = panel.sections["run"]
    state = lambda: section.followed.state if section.followed is not None else control.RunState("none")  # noqa: E731
    there = wait(lambda: section.followed is not None and state().alive, 60)
    print(f"found by itself: {there and section.followed.path == run}; cohort {panel.cohort}; "
          f"{section.ui.stateLabel.text}")  # fmt: skip
    epoch = state().facts.get("epoch", 0)
    on = wait(lambda: state().facts.get("epoch", 0) > epoch, 120)
    begun = time.monotonic()
    section.ui.stopButton.click()
    wait(lambda: not state().alive, 20)
    print(f"goes on: {on}; stopped in {time.monotonic() - begun:.1f} s: {state().state}", flush=True)
    good = there and section.followed.path == run and panel.cohort == str(cohort) and on
    slicer.util.exit(0 if good and state().state == "stopped" and (run / "fold-1" / "last.pt").is_file() else 1)


def main(words: list[str]) -> None:
    """Work outside, or inside as the first word says."""
    if words and words[0] in ("begin", "found"):
        sys.path.insert(0, str(HERE.parent))
        {"begin": begin, "found": found}[words[0]](Path(words[1]), Path(words[2]))
        return
    sys.exit(outside(words[0], Path(words[1]).absolute()))


if __name__ == "__main__":
    main(sys.argv[1:])
