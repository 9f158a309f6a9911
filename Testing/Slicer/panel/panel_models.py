"""Several models on one patient: kept apart, marked, left out of real patients; the what-if slider."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
import slicer
from harness import PanelTest, wait
from made_up import models

from StrokePredictLib.models.fit import lacking
from StrokePredictSlicer.scene import open_scene, save_scene
from StrokePredictSlicer.volumes_in import segment_array, volume_of

MADE = ("site-a", "site-b", "slider")


class ModelsTest(PanelTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.folder = models(Path(tempfile.mkdtemp(prefix="models-")))
        cls.environment = patch.dict(os.environ, STROKE_MODELS=str(cls.folder))
        cls.environment.start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.environment.stop()
        slicer.util.getModuleWidget(cls.module).panel.analysis.client.stop()
        super().tearDownClass()

    def setUp(self) -> None:
        super().setUp()
        if not {line["name"] for line in self.panel.sections["prediction"]._models} >= set(MADE):
            self.panel.analysis.client.stop()  # the next one looks into the folder of now
            self.panel.look_at_environment()
            self.idle()

    def predicted(self, *names: str):
        """Open a patient, threshold without a series, and run models by name."""
        patient = self.open_patient(perfusion=False)
        self.panel.threshold()
        self.idle()
        if names:
            self.panel.predict(list(names))
            self.idle()
        self.assertEqual(self.errors, [])
        return patient

    def records(self, patient) -> dict[str, dict]:
        return {record["name"]: record for record in patient.study["prediction"]["models"]}

    def names(self, patient) -> dict[str, str]:
        inner = patient.segmentation.GetSegmentation()
        return {inner.GetNthSegmentID(i): inner.GetNthSegment(i).GetName() for i in range(inner.GetNumberOfSegments())}

    def test_models_of_one_kind_fill_segments_of_their_own(self) -> None:
        patient = self.predicted("site-a", "site-b")
        records, names = self.records(patient), self.names(patient)
        self.assertEqual(len({record["segment"] for record in records.values()}), 2)
        for name, record in records.items():
            image = volume_of(patient.probabilities()[name])
            found = segment_array(patient.segmentation, record["segment"], image)
            np.testing.assert_array_equal(found, image.array >= np.float32(record["threshold"]), name)
            self.assertAlmostEqual(np.count_nonzero(found) * image.voxel_ml, record["volume_ml"], delta=0.02)
        second = next(r["segment"] for r in records.values() if "@" in r["segment"])
        self.assertIn("site", names[second])
        self.check_marks(patient)
        self.check_table(patient)
        self.check_again(patient, records)

    def check_marks(self, patient) -> None:
        """What rests on demonstration weights says so in the name of its segment and of its map."""
        names = self.names(patient)
        for record in self.records(patient).values():
            marked = "demonstration" in names[record["segment"]]
            self.assertEqual(marked, record["demonstration"], record["name"])
            self.assertEqual("demonstration" in patient.probabilities()[record["name"]].GetName(), marked)

    def check_table(self, patient) -> None:
        """Every model has a row of its own; the calibrated one its interval."""
        table = self.panel.sections["results"].ui.volumeTable
        titles = [table.horizontalHeaderItem(column).text() for column in range(table.columnCount)]
        self.assertIn("90% interval, mL", titles)
        column = titles.index("90% interval, mL")
        rows = {table.item(row, 0).text(): table.item(row, column).text() for row in range(table.rowCount)}
        self.assertRegex(next(text for label, text in rows.items() if label.startswith("Site A")), r"^\d.* to \d")
        self.assertEqual(next(text for label, text in rows.items() if label.startswith("Site B")), "")
        self.assertIn("20 held-out patients (site-a)", self.panel.sections["results"].ui.effectLabel.text)

    def check_again(self, patient, before) -> None:
        """A model that runs again fills its own segment; what the other said stays."""
        self.panel.predict(["site-b"])
        self.idle()
        self.assertEqual(self.errors, [])
        again = self.records(patient)
        self.assertEqual({n: r["segment"] for n, r in again.items()}, {n: r["segment"] for n, r in before.items()})

    def test_a_saved_scene_brings_every_models_segment_back(self) -> None:
        patient = self.predicted("site-a", "site-b")
        names, records = self.names(patient), self.records(patient)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "scene.mrb"
            save_scene(slicer.mrmlScene, path)
            slicer.mrmlScene.Clear(0)
            open_scene(path, slicer.mrmlScene)
            wait(lambda: self.panel.patient is not None, 10)
        again = self.panel.patient
        self.assertEqual(self.names(again), names)
        self.assertEqual(self.records(again), records)
        self.panel.threshold()  # into segments that now share images
        self.idle()
        adc = volume_of(again.image("adc"))
        core = np.count_nonzero(segment_array(again.segmentation, "core_adc", adc)) * adc.voxel_ml
        self.assertAlmostEqual(core, again.study["volumes"]["volumes_ml"]["core_adc"], delta=0.02)
        for record in records.values():
            found = segment_array(again.segmentation, record["segment"], adc)
            self.assertAlmostEqual(np.count_nonzero(found) * adc.voxel_ml, record["volume_ml"], delta=0.02)

    def test_the_slider_asks_for_a_course_and_tells_what_changes(self) -> None:
        patient = self.predicted("slider")
        section = self.panel.sections["prediction"]
        self.assertFalse(section.ui.whatIfGroup.isHidden())
        section.ui.whatIfBox.setCurrentIndex(section.ui.whatIfBox.findData("slider"))
        records = self.records(patient)
        none, complete = (records[f"slider-{course}"]["volume_ml"] for course in ("not-reperfused", "reperfused"))
        section.ui.reperfusionSlider.setValue(35)
        self.assertTrue(wait(lambda: bool(section.ui.whatIfLabel.text), 60))
        self.idle()
        self.assertEqual(self.errors, [])
        adc = volume_of(patient.image("adc"))
        volume = np.count_nonzero(segment_array(patient.segmentation, "infarct_what_if", adc)) * adc.voxel_ml
        text = section.ui.whatIfLabel.text
        self.assertIn(f"35% reperfused: {volume:.1f} mL", text)
        self.assertIn(f"Without reperfusion {none:.1f} mL, complete {complete:.1f} mL", text)
        self.assertIn(f"ΔV to no reperfusion: {volume - none:+.1f} mL", text)
        self.assertIn("not causation", text)
        self.assertIn("demonstration", self.names(patient)["infarct_what_if"])
        self.assertIn("if reperfused", self.panel.sections["results"].ui.effectLabel.text)
        self.picture("what-if", "prediction")

    def test_what_learnt_from_simulated_patients_is_left_out_of_real_ones(self) -> None:
        patient = self.open_patient(perfusion=False)
        patient.set_value("simulated", False)
        for role in ("dwi", "adc", "b0"):
            patient.image(role).SetAttribute("StrokePredict.Role", None)  # images of the user's own, from no folder
        patient.set_value("source", {})
        self.panel.refresh()
        self.panel.analyse()
        self.idle()
        self.assertEqual(self.errors, [])
        self.assertFalse([n for n, r in self.records(patient).items() if r["demonstration"]])
        self.assertIn("site-a", self.records(patient))
        self.assertNotIn("Demonstration weights", self.panel.ui.demonstrationLabel.text)
        section = self.panel.sections["prediction"]
        self.assertNotIn("slider", [section.ui.whatIfBox.itemData(i) for i in range(section.ui.whatIfBox.count)])
        self.check_opt_in(patient)

    def check_opt_in(self, patient) -> None:
        """With the tick they run, every one whose inputs are there, watermarked."""
        self.panel.ui.demonstrationCheck.checked = True
        self.panel.analyse()
        self.idle()
        self.assertEqual(self.errors, [])
        section = self.panel.sections["prediction"]
        able = [m["name"] for m in section._models if m["demonstration"] and not lacking(m, set(patient.images()))]
        self.assertIn("site-b", able)
        ran = {record.get("model") or name for name, record in self.records(patient).items()}
        self.assertTrue(set(able) <= ran, (able, ran))
        self.check_marks(patient)
        self.assertIn("Demonstration weights", self.panel.ui.demonstrationLabel.text)
        with tempfile.TemporaryDirectory() as folder:
            self.panel.sections["results"].write_report(folder)
            self.idle()
            page = Path(folder, "report.html").read_text(encoding="utf-8")
        self.assertIn("Demonstration weights", page)
        self.panel.ui.demonstrationCheck.checked = False
        self.panel.analyse()
        self.idle()
        self.assertFalse([n for n, r in self.records(patient).items() if r["demonstration"]])
        self.assertNotIn("demonstration", " ".join(self.names(patient).values()))
