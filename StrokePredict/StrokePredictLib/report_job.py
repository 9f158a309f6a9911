"""The job behind the panel's report: a study's folder to a page, a picture and its figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .io.output import staged_folder
from .progress import Progress, silent
from .study_folder import read_study

FILES = ("summary.png", "report.html", "report.json")


def run(output: Path | str, *, study: Path | str, progress: Progress = silent) -> dict[str, Any]:
    """Write ``summary.png``, ``report.html`` and ``report.json``, all or none.

    Parameters
    ----------
    output : path-like
        Folder to write into.
    study : path-like
        Folder of `StrokePredictLib.study_folder.write_study`.

    Returns
    -------
    dict
        ``files``.
    """
    from .report.html import write_report, write_report_json
    from .report.summary import write_summary

    progress(0.0, "reading the study")
    found = read_study(study)
    with staged_folder(output, FILES) as stage:
        progress(0.2, "summary picture")
        write_summary(found, stage / "summary.png")
        progress(0.8, "report")
        write_report(found, stage / "report.html", stage / "summary.png")
        write_report_json(found, stage / "report.json")
    return {"files": [str(Path(output) / name) for name in FILES]}
