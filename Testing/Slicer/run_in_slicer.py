"""Run the panels' tests inside Slicer (or on the double), and end with ``N passed, M failed``.

``Slicer --no-splash --testing --additional-module-paths StrokePredict StrokeTrain --python-script
Testing/Slicer/run_in_slicer.py [NAME …]``: exit code 1 on any failure, on a module that did not load, and where no test
ran. NAME: files of ``panel/`` without ``.py``; all but the long ones if left out.
"""

from __future__ import annotations

import importlib
import sys
import traceback
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = ("StrokePredict", "StrokeTrain")
#: Files that take minutes: run only where they are named.
LONG = ("panel_memory",)


class Result(unittest.TextTestResult):
    """Counts what passed."""

    def __init__(self, *words: object, **named: object) -> None:
        super().__init__(*words, **named)
        self.passed = 0

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.passed += 1


def run(names: list[str]) -> int:
    """Run tests by file name; return the exit code."""
    sys.path.insert(0, str(HERE))
    passed, failed = 0, 0
    try:
        failed += _load_modules()
        suite = unittest.TestSuite()
        for path in sorted((HERE / "panel").glob("panel_*.py")):
            if path.stem in (names or [path.stem]) and (names or path.stem not in LONG):
                source = importlib.import_module(f"panel.{path.stem}")
                suite.addTests(unittest.defaultTestLoader.loadTestsFromModule(source))
        result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(suite)
        passed += result.passed
        failed += len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
        if not names:
            more, less = _self_tests()
            passed, failed = passed + more, failed + less
    except Exception:
        traceback.print_exc(file=sys.stdout)
        failed += 1
    if not passed and not failed:
        print("no test ran")
        failed = 1
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


def _load_modules() -> int:
    """Return how many modules did not load."""
    # A module whose setup() failed has a widget all the same, and no panel in it.
    missing = [name for name in MODULES if getattr(_widget(name), "panel", None) is None]
    for name in missing:
        print(f"module {name}: did not load")
    return len(missing)


def _widget(name: str) -> object:
    """Return a module's widget; None where there is no such module."""
    import slicer

    try:
        return slicer.util.getModuleWidget(name)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        return None


def _self_tests() -> tuple[int, int]:
    """Run each module's own ``<Module>Test``; return passed and failed."""
    passed = 0
    for name in MODULES:
        module = sys.modules.get(name) or importlib.import_module(name)
        try:
            getattr(module, f"{name}Test")().runTest()
        except Exception:
            traceback.print_exc(file=sys.stdout)
        else:
            passed += 1
    return passed, len(MODULES) - passed


def main() -> None:
    """Run and leave, with Slicer if we are in it."""
    code = run([word for word in sys.argv[1:] if not word.startswith("-")])
    import slicer

    slicer.util.exit(code)


if __name__ == "__main__":
    main()
