"""What is selected in Slicer's DICOM browser is opened: patient, study or series."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace

import slicer
from harness import PanelTest
from made_up import dicom_study

SERIES = {"P1": ["1.2.2"], "P2": ["1.2.3"]}
STUDIES = {"P1": "1.1", "P2": "2.1"}


class Database:
    """The calls of ctkDICOMDatabase that are documented for browsers: two patients, a study and a series each."""

    isOpen = True

    def __init__(self, folder: Path) -> None:
        self._files = {"1.2.2": sorted((folder / "one").rglob("IM*")), "1.2.3": sorted((folder / "two").rglob("IM*"))}

    def patients(self) -> list[str]:
        return list(STUDIES)

    def studiesForPatient(self, patient: str) -> list[str]:
        return [STUDIES[patient]]

    def seriesForStudy(self, study: str) -> list[str]:
        return next(SERIES[patient] for patient, one in STUDIES.items() if one == study)

    def studyForSeries(self, series: str) -> str:
        return next(STUDIES[patient] for patient, all_of in SERIES.items() if series in all_of)

    def patientForStudy(self, study: str) -> str:
        return next(patient for patient, one in STUDIES.items() if one == study)

    def filesForSeries(self, series: str) -> list[str]:
        return [str(path) for path in self._files[series]]


class Tables:
    """ctkDICOMTableManager's three selections."""

    def __init__(self, patients=(), studies=(), series=()) -> None:
        self._chosen = [list(patients), list(studies), list(series)]

    def currentPatientsSelection(self) -> list[str]:
        return self._chosen[0]

    def currentStudiesSelection(self) -> list[str]:
        return self._chosen[1]

    def currentSeriesSelection(self) -> list[str]:
        return self._chosen[2]


class DicomTest(PanelTest):
    """With a stand-in for the module DICOM, put in the place of a real one for the length of a test."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.folder = dicom_study(Path(tempfile.mkdtemp(prefix="dicom-")))

    def setUp(self) -> None:
        super().setUp()
        places = ((slicer, "dicomDatabase"), (slicer.modules, "dicom"), (slicer.modules, "DICOMInstance"))
        self._before = [(holder, name, getattr(holder, name, None)) for holder, name in places]
        self.ui = self.panel.sections["patient"].ui

    def tearDown(self) -> None:
        for holder, name, value in self._before:
            if value is None and hasattr(holder, name):
                delattr(holder, name)
            elif value is not None:
                setattr(holder, name, value)
        super().tearDown()

    def select(self, visual: bool = False, **chosen) -> None:
        slicer.dicomDatabase = Database(self.folder)
        slicer.modules.dicom = SimpleNamespace()
        tables = Tables(**chosen)
        view = SimpleNamespace(
            selectedPatientUIDs=lambda: chosen.get("patients", []),
            selectedSeriesInstanceUIDs=lambda: chosen.get("series", []),
        )
        slicer.modules.DICOMInstance = SimpleNamespace(
            browserWidget=SimpleNamespace(
                useVisualDICOMBrowser=visual,
                dicomBrowser=SimpleNamespace(dicomTableManager=lambda: tables),
                dicomVisualBrowser=SimpleNamespace(patientView=lambda: view),
            )
        )
        self.panel.refresh()

    def take(self):
        self.assertTrue(self.ui.dicomButton.isEnabled())
        self.ui.dicomButton.click()
        self.idle()
        return self.panel.patient

    def test_patient_study_and_series_are_taken_from_tables_and_thumbnails(self) -> None:
        for visual, chosen in (
            (False, {"patients": ["P1"]}),
            (False, {"patients": ["P1"], "studies": ["1.1"]}),
            (False, {"patients": ["P1"], "studies": ["1.1"], "series": ["1.2.2"]}),
            (True, {"patients": ["P1"]}),
            (True, {"patients": ["P1", "P2"], "series": ["1.2.2"]}),
        ):
            with self.subTest(visual=visual, **chosen):
                slicer.mrmlScene.Clear(0)
                self.select(visual, **chosen)
                patient = self.take()
                self.assertEqual(self.errors, [])
                self.assertTrue({"b0", "dwi"} <= patient.images().keys(), patient.images())

    def test_nothing_or_two_patients_selected_is_said(self) -> None:
        self.select()
        self.take()
        self.assertIn("nothing is selected", self.errors.pop())
        self.select(patients=["P1", "P2"])
        self.take()
        self.assertIn("2 patients", self.errors.pop())

    def test_files_that_are_not_here_are_said(self) -> None:
        self.select(series=["1.2.3"])
        slicer.dicomDatabase._files["1.2.3"] = [Path("/no/such/file.dcm")]
        self.take()
        self.assertIn("not on this computer", self.errors.pop())

    def test_without_the_module_the_button_says_why(self) -> None:
        for holder, name, _value in self._before:
            if hasattr(holder, name):
                delattr(holder, name)
        self.panel.refresh()
        self.assertFalse(self.ui.dicomButton.isEnabled())
        self.assertIn("no DICOM module", self.ui.dicomLabel.text)
