"""Scripts get what the panel gets; a sample is made once and checked."""

from __future__ import annotations

import tempfile
from pathlib import Path

import slicer
from harness import PanelTest

from StrokePredictLib.errors import StrokeError
from StrokePredictSlicer.batch import Batch
from StrokePredictSlicer.patient_node import patients
from StrokePredictSlicer.samples import SAMPLES, discard, is_whole, seal
from StrokePredictSlicer.sections.base import UI_FOLDER


class BatchTest(PanelTest):
    def test_a_script_opens_analyses_reports_and_removes(self) -> None:
        folder = self.cohort()
        said: list[str] = []
        with Batch(lambda share, words: said.append(words)) as batch, tempfile.TemporaryDirectory() as output:
            names = batch.patients_of(folder)
            self.assertEqual(names[:2], ["sub-0001", "sub-0002"])
            patient = batch.open(folder, names[1])
            batch.analyse(patient, models=[])
            self.assertGreater(patient.study["volumes"]["volumes_ml"]["brain"], 500)
            self.assertFalse(patient.study["prediction"])
            self.assertTrue(batch.report(patient, output).is_file())
            batch.remove(patient)
            self.assertEqual(list(patients(slicer.mrmlScene)), [])
            with self.assertRaises(StrokeError) as raised:
                batch.open(folder, "sub-9999")
            self.assertIn("sub-9999", str(raised.exception))
        self.assertTrue(any(words.startswith("Perfusion maps") for words in said))

    def test_a_sample_that_changed_is_not_taken_for_whole(self) -> None:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "sample"
            (folder / "inner").mkdir(parents=True)
            (folder / "inner" / "a.txt").write_text("one")
            self.assertFalse(is_whole(folder))
            seal(folder)
            self.assertTrue(is_whole(folder))
            (folder / "inner" / "a.txt").write_text("two")
            self.assertFalse(is_whole(folder))
            discard(folder)
            self.assertFalse(folder.exists())

    def test_each_sample_has_a_picture(self) -> None:
        for modality, _seed in SAMPLES.values():
            self.assertTrue((UI_FOLDER.parent / "Icons" / f"Simulated{modality}.png").is_file(), modality)
        registered = getattr(slicer.modules, "sampleDataSources", {}).get("Stroke (simulated)", [])
        if slicer.util.mainWindow() is not None:
            self.assertEqual([source.sampleName for source in registered], list(SAMPLES))
        for source in registered:
            self.assertTrue(Path(source.thumbnailFileName).is_file(), source.sampleName)
