"""What the sections share: where their .ui files lie. The rest is StrokePredict's."""

from __future__ import annotations

from pathlib import Path

from StrokePredictSlicer.sections import base

#: Found from here: CTK copies .ui files beside the module's Python files.
UI_FOLDER = Path(__file__).resolve().parents[2] / "Resources" / "UI"


class Section(base.Section):
    """One section of StrokeTrain's panel; `StrokePredictSlicer.sections.base.Section` says what it is made of."""

    FOLDER = UI_FOLDER
