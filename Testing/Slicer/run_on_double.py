"""The same tests as `run_in_slicer`, on the double: ``python Testing/Slicer/run_on_double.py [NAME …]``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / name) for name in ("StrokePredict", "StrokeTrain", "Testing", "Testing/Slicer")]

import run_in_slicer
from slicer_double import install


def main() -> None:
    """Put the double in place, load the modules, run."""
    print(f"Slicer's Python base classes: {install().base}")
    import slicer

    for name in run_in_slicer.MODULES:
        slicer.util.loadScriptedModule(REPOSITORY / name / f"{name}.py")
    code = run_in_slicer.run(sys.argv[1:])
    for loaded in slicer.app.moduleManager().loaded.values():
        loaded.unload()
    sys.stdout.flush()
    # Qt's and VTK's halves of the widgets die in no order that both like; nothing is left to do.
    os._exit(code)


if __name__ == "__main__":
    main()
