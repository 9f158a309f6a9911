"""A perfusion series that failed its check: nothing that rests on it is shown before a reader accepts it by name."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
from harness import PanelTest

from StrokePredictLib.io.images import read_image, write_image

#: Models of the bundles that came with the software: those that look at DWI and ADC alone, and the others.
_DIFFUSION = {"core-dwi"}


class QualityTest(PanelTest):
    def cut_series(self) -> str:
        """Return the cohort with the first patient's series ended in the middle of the bolus' passage."""
        folder = Path(tempfile.mkdtemp(prefix="cut-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        shutil.copytree(self.cohort(), folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("perfusion-maps"))
        path = next(folder.glob("raw_data/sub-0001/ses-01/*_pwi.nii.gz"))
        series = read_image(path)
        write_image(path, series.with_array(np.ascontiguousarray(series.array[:22])))
        sidecar = path.with_name(path.name.replace(".nii.gz", ".json"))
        said = json.loads(sidecar.read_text())
        said.pop("FrameTimes", None)
        sidecar.write_text(json.dumps(said))
        return str(folder)

    def predicted(self) -> set[str]:
        found = (self.panel.patient.study.get("prediction") or {}).get("models", [])
        return {line["name"] for line in found}

    def words(self) -> dict[str, str]:
        """Return what the table of models says of each."""
        table = self.panel.sections["prediction"].ui.modelTable
        names = [line["name"] for line in self.panel.sections["prediction"]._models]
        return {name: table.item(row, 1).text() for row, name in enumerate(names)}

    def test_what_rests_on_a_failed_series_waits_for_a_readers_name(self) -> None:
        self.panel.open_folder(self.cut_series(), "sub-0001")
        self.idle()
        self.panel.ui.analyseButton.click()
        self.idle()
        self.assertEqual(self.errors, [])
        patient, results = self.panel.patient, self.panel.sections["results"].ui
        self.assertIs(patient.study["perfusion"]["quality_passed"], False)
        self.assertEqual(patient.study["volumes"]["volumes_ml"]["hypoperfused_tmax"], "not computed")
        self.assertIsInstance(patient.study["volumes"]["volumes_ml"]["core_adc"], float)
        self.assertEqual(self.predicted(), _DIFFUSION)
        self.assertFalse(results.overrideGroup.isHidden())
        self.assertIn("not computed, since the perfusion series failed", results.doubtsLabel.text)
        said = self.words()
        self.assertIn("accept it under Results", said["infarct-general"])
        self.assertEqual(said["core-dwi"], "ready")
        self.picture("quality-failed", "results")
        self.check_accepted(results)

    def check_accepted(self, results) -> None:
        """No name, no numbers; with one they are there, and it is said whose word they rest on."""
        results.overrideEdit.setText("  ")
        results.overrideButton.click()
        self.assertIn("Give your name", self.errors.pop())
        results.overrideEdit.setText("Dr Reader")
        results.overrideButton.click()
        self.idle()
        self.assertEqual(self.errors, [])
        patient = self.panel.patient
        self.assertIsInstance(patient.study["volumes"]["volumes_ml"]["hypoperfused_tmax"], float)
        self.assertIn("infarct-general", self.predicted())
        self.assertIn("accepted by Dr Reader", results.doubtsLabel.text)
        self.assertTrue(results.overrideGroup.isHidden())
        self.assertNotIn("accept it", " ".join(self.words().values()))
        segmentation = patient.segmentation.GetSegmentation()
        names = [segmentation.GetNthSegment(n).GetName() for n in range(segmentation.GetNumberOfSegments())]
        self.assertTrue(any(name.startswith("Predicted infarct") for name in names), names)
