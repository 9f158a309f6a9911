"""A study to what a person opens: the Slicer scene, the summary picture and the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from StrokePredictLib.io.output import staged_folder
from StrokePredictLib.progress import Progress, silent
from StrokePredictLib.study import Study


def present(study: Study, output: Path | str, *, progress: Progress = silent) -> dict[str, Any]:
    """Write ``scene.mrb``, ``summary.png``, ``report.html`` and ``report.json``, all or none.

    Returns
    -------
    dict
        ``files``.
    """
    from StrokePredictLib.report.html import write_report, write_report_json
    from StrokePredictLib.report.summary import write_summary
    from StrokePredictSlicer.scene import build_scene, save_scene

    with staged_folder(output) as stage:
        progress(0.0, "scene")
        save_scene(build_scene(study), stage / "scene.mrb")
        progress(0.5, "summary picture")
        write_summary(study, stage / "summary.png")
        progress(0.8, "report")
        write_report(study, stage / "report.html", stage / "summary.png")
        write_report_json(study, stage / "report.json")
    return {"files": [str(Path(output) / n) for n in ("scene.mrb", "summary.png", "report.html", "report.json")]}
