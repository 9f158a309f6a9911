"""Those functions of ``slicer.util`` that need the desktop: messages are kept for the test to read."""

from __future__ import annotations

import sys
from typing import Any

from .loader import load_module, reload_module

#: What would have been shown in message boxes: (kind, text).
MESSAGES: list[tuple[str, str]] = []
#: What a person answers to questions, by default and once.
ANSWERS: list[bool] = []


def amend(slicer: Any) -> None:
    """Replace what would open a window or ask Slicer's module factory."""
    util = slicer.util
    for name in ("errorDisplay", "warningDisplay", "infoDisplay", "messageBox"):
        setattr(util, name, lambda text, *_, kind=name, **__: MESSAGES.append((kind, str(text))))
    for name in ("confirmOkCancelDisplay", "confirmYesNoDisplay", "confirmRetryCloseDisplay"):
        setattr(util, name, lambda text, *_, kind=name, **__: _answer(kind, text))
    util.modulePath = lambda name: slicer.app.moduleManager().loaded[name].parent.path
    util.getModule = lambda name: slicer.app.moduleManager().loaded[name]
    util.getModuleWidget = lambda name: slicer.app.moduleManager().loaded[name].widgetRepresentation()
    util.getModuleLogic = lambda name: util.getModuleWidget(name).logic
    util.reloadScriptedModule = lambda name: reload_module(slicer, name)
    util.selectModule = lambda name: slicer.app.moduleManager().loaded[str(name)].enter()
    util.selectedModule = lambda: slicer.app.moduleManager().entered
    util.mainWindow = lambda verbose=True: None
    util.showStatusMessage = lambda text, *_: MESSAGES.append(("status", str(text)))
    util.delayDisplay = lambda text, *_, **__: MESSAGES.append(("delay", str(text)))
    util.loadScriptedModule = lambda path: load_module(slicer, path)
    slicer.app.moduleManager().entered = ""


def _answer(kind: str, text: str) -> bool:
    MESSAGES.append((kind, str(text)))
    return ANSWERS.pop(0) if ANSWERS else True


def messages(kind: str | None = None) -> list[str]:
    """Return and forget what was shown, of one kind or all."""
    found = [text for each, text in MESSAGES if kind in (None, each)]
    MESSAGES[:] = [] if kind is None else [m for m in MESSAGES if m[0] != kind]
    return found


def purge(prefix: str) -> None:
    """Forget the modules of a package, as Slicer's reload makes necessary."""
    for name in [n for n in sys.modules if n == prefix or n.startswith(f"{prefix}.")]:
        del sys.modules[name]
