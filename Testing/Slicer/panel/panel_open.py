"""The panel opens, says what it is, and leaves the heavy packages to the worker."""

from __future__ import annotations

import sys

from harness import PanelTest

HEAVY = ("torch", "monai", "pandas", "pydantic", "matplotlib")


class OpenTest(PanelTest):
    def test_all_sections_are_there_and_the_notice_stands_first(self) -> None:
        self.assertEqual(
            list(self.panel.sections),
            ["patient", "perfusion", "threshold", "prediction", "review", "results", "environment"],
        )
        self.assertIn("NOT FOR CLINICAL USE", self.panel.ui.noticeLabel.text)
        self.assertFalse(self.panel.ui.analyseButton.enabled)
        self.assertFalse(self.panel.ui.cancelButton.enabled)
        self.picture("empty", "patient")

    def test_the_worker_tells_what_this_computer_has(self) -> None:
        self.panel.look_at_environment()
        self.idle()
        table = self.panel.sections["environment"].ui.environmentTable
        cells = {table.item(row, 0).text(): table.item(row, 1).text() for row in range(table.rowCount)}
        self.assertIn("cpu", cells["Devices"])
        self.assertTrue(cells["numpy"][0].isdigit())
        self.assertGreater(self.panel.sections["prediction"].ui.modelTable.rowCount, 0)
        self.picture("environment", "environment")

    def test_slicers_process_imports_nothing_heavy(self) -> None:
        self.open_patient()
        self.assertEqual([name for name in HEAVY if name in sys.modules], [])

    def test_every_widget_that_can_be_pressed_says_what_it_does(self) -> None:
        import qt

        silent = []
        for section in [self.panel, *self.panel.sections.values()]:
            for button in section.widget.findChildren(qt.QPushButton):
                name = button.objectName
                if name and not name.startswith("qt_") and not _in_editor(button) and not button.toolTip:
                    silent.append(name)
        self.assertEqual(silent, [])


def _in_editor(widget: object) -> bool:
    """Whether a button is one of the Segment Editor's own."""
    while widget is not None:
        if widget.objectName == "editor":
            return True
        widget = widget.parentWidget()
    return False
