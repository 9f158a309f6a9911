"""The panel's work from Slicer's Python console and from scripts: the same calls, each awaited.

>>> from StrokePredictSlicer.batch import Batch
>>> with Batch() as batch:                                    # doctest: +SKIP
...     for name in batch.patients_of("/data/cohort"):
...         patient = batch.open("/data/cohort", name)
...         batch.analyse(patient)
...         print(name, patient.study["volumes"]["volumes_ml"])
...         batch.report(patient, f"/data/reports/{name}")
...         batch.remove(patient)
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.folder import list_patients
from StrokePredictLib.progress import Progress, silent

from .analysis import Analysis, Told
from .patient_node import PatientNode, remove_patient
from .worker_qt import make_client


class Batch(contextlib.AbstractContextManager):
    """Opens, analyses and reports patients one after the other.

    Parameters
    ----------
    progress : Progress
        Told how far each step is.

    Attributes
    ----------
    log : list of str
        What the worker said besides.
    """

    def __init__(self, progress: Progress = silent) -> None:
        self.log: list[str] = []
        self._progress = progress
        self.analysis = Analysis(make_client(self.log.append), slicer.mrmlScene)

    def patients_of(self, folder: Path | str) -> list[str]:
        """Return the patients of a cohort folder."""
        return list_patients(folder)

    def open(self, folder: Path | str, patient: str | None = None) -> PatientNode:
        """Read a patient's images into the scene.

        Raises
        ------
        StrokeError
            With one line that says what is wrong, as all methods here.
        """
        return self.wait(lambda told: self.analysis.open(folder, patient, told))

    def analyse(self, patient: PatientNode, **options: Any) -> PatientNode:
        """Make maps, thresholds and predictions; options as `Analysis.analyse`."""
        return self.wait(lambda told: self.analysis.analyse(patient, told, **options))

    def report(self, patient: PatientNode, folder: Path | str) -> Path:
        """Write the report into a folder; return the page's path."""
        return self.wait(lambda told: self.analysis.report(patient, folder, told))

    def run(self, job: str, **parameters: Any) -> dict[str, Any]:
        """Run any job of `StrokePredictLib.jobs` in the worker."""
        return self.wait(lambda told: self.analysis.run(job, parameters, told))

    def remove(self, patient: PatientNode) -> None:
        """Take a patient out of the scene again."""
        remove_patient(patient)

    def wait(self, begin: Callable[[Told], None]) -> Any:
        """Begin something and wait for its end, with Slicer's window alive."""
        answer: list[tuple[bool, Any]] = []
        begin(Told(self._progress, lambda made: answer.append((True, made)), lambda why: answer.append((False, why))))
        while not answer:
            slicer.app.processEvents()
            time.sleep(0.005)
        done, what = answer[0]
        if not done:
            raise StrokeError(what)
        return what

    def __exit__(self, *_: object) -> None:
        self.analysis.close()
