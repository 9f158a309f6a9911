"""What is selected in Slicer's DICOM browser, as a folder that is read like any other."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from StrokePredictLib.errors import StrokeError


def database() -> Any:
    """Return Slicer's DICOM database (ctkDICOMDatabase); None where Slicer has none, or it is not open."""
    found = getattr(slicer, "dicomDatabase", None)
    return found if found is not None and found.isOpen else None


def reason_against() -> str:
    """Return why nothing can be taken from the DICOM browser; empty where it can."""
    if not hasattr(slicer.modules, "dicom"):
        return _("This Slicer has no DICOM module; open the folder with the DICOM files instead.")
    if database() is None:
        return _("Slicer's DICOM database is not open; open the module DICOM once.")
    return ""


def browser() -> Any:
    """Return Slicer's browser widget; None where the module DICOM was never opened."""
    return getattr(getattr(slicer.modules, "DICOMInstance", None), "browserWidget", None)


def selected_series() -> list[str]:
    """Return the UIDs of the series selected: the series themselves, or all of the studies or patients selected.

    Raises
    ------
    StrokeError
        If nothing is selected, or more than one patient.
    """
    base, widget = database(), browser()
    if base is None or widget is None:
        raise StrokeError(_("nothing is selected: open the module DICOM and select a patient, a study or series."))
    patients, studies, series = _selection(widget)
    if not series:
        studies = studies or [study for patient in patients for study in base.studiesForPatient(patient)]
        series = [one for study in studies for one in base.seriesForStudy(study)]
    if not series:
        raise StrokeError(_("nothing is selected: select a patient, a study or series in the DICOM browser."))
    whose = {base.patientForStudy(base.studyForSeries(one)) for one in series}
    if len(whose) > 1:
        raise StrokeError(_("{count} patients are selected; select the images of one.").format(count=len(whose)))
    return sorted(series)


def _selection(widget: Any) -> tuple[list[str], list[str], list[str]]:
    """Return selected patients, studies and series of the browser that is in use, the tables or the thumbnails."""
    visual = getattr(widget, "dicomVisualBrowser", None)
    if visual is not None and getattr(widget, "useVisualDICOMBrowser", False):
        view = visual.patientView()
        return list(view.selectedPatientUIDs()), [], list(view.selectedSeriesInstanceUIDs())
    tables = widget.dicomBrowser.dicomTableManager()
    selections = (tables.currentPatientsSelection, tables.currentStudiesSelection, tables.currentSeriesSelection)
    patients, studies, series = ([uid.replace("'", "") for uid in selection()] for selection in selections)
    return patients, studies, series


def folder_of_series(series: list[str]) -> Path:
    """Return a folder with links to the files of some series; the same series give the same folder.

    Parameters
    ----------
    series : list of str
        Series instance UIDs.

    Raises
    ------
    StrokeError
        If a file is not on this computer, or the folder cannot be made.
    """
    files = [[Path(file) for file in database().filesForSeries(one) if file] for one in series]
    missing = [file for each in files for file in each if not file.is_file()]
    if missing or not all(files):
        gone = missing[0] if missing else _("a series")
        words = _("{what}: is in the DICOM database but not on this computer; retrieve it.")
        raise StrokeError(words.format(what=gone))
    told = "\n".join(str(file) for each in files for file in each)
    base = Path(str(qt.QStandardPaths.writableLocation(qt.QStandardPaths.CacheLocation)))
    folder = base / "StrokeInfarct" / "dicom" / hashlib.sha256(told.encode()).hexdigest()[:16]
    try:
        shutil.rmtree(folder, ignore_errors=True)
        for number, each in enumerate(files):
            place = folder / f"series-{number:03d}"
            place.mkdir(parents=True)
            for count, file in enumerate(sorted(each)):
                _link(file.resolve(), place / f"{count:05d}.dcm")
    except OSError as error:
        raise StrokeError(f"{folder}: the selection cannot be gathered there ({error.strerror}).") from error
    return folder


def _link(file: Path, place: Path) -> None:
    """Link a file; copy it only where the disk knows no links."""
    for link in (os.symlink, os.link):
        with suppress(OSError, NotImplementedError):
            link(file, place)
            return
    shutil.copyfile(file, place)
