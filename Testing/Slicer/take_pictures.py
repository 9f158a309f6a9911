"""Take the tutorial's pictures of StrokePredict in a real Slicer, by the clicks that the tutorial names.

``Slicer --no-splash --testing --additional-module-paths StrokePredict StrokeTrain --python-script
Testing/Slicer/take_pictures.py FOLDER``: the whole window, as large as the screen, as FOLDER/read-*.png.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import qt
import slicer
from harness import wait

#: Sections in reading order, each shown alone.
SECTIONS = ("patient", "perfusion", "threshold", "prediction", "review", "environment")
#: Pixels of a picture, from the window's wider ones: a page shows no more.
_WIDTH = 1280


def settle(seconds: float = 1.5) -> None:
    """Let views and layouts come to rest."""
    wait(lambda: False, seconds)


class Tutorial:
    """The steps of docs/tutorial/read-in-slicer.md."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.window = slicer.util.mainWindow()
        self.window.showMaximized()
        self.panel = None

    def run(self) -> None:
        """Follow the tutorial."""
        slicer.util.selectModule("SampleData")
        button = self.sample_button("Simulated stroke, MRI")
        settle()
        self.scroll_to(button)
        self.grab("samples")
        button.click()
        self.panel = slicer.util.getModuleWidget("StrokePredict").panel
        self.idle()
        self.show("patient")
        self.grab("opened")
        self.panel.ui.analyseButton.click()
        self.idle()
        self.show("results")
        self.grab("analysed")
        for section in SECTIONS:
            self.show(section)
            if hasattr(self, f"in_{section}"):
                getattr(self, f"in_{section}")(self.panel.sections[section].ui)
                settle()
            self.grab(section)

    def in_prediction(self, ui) -> None:
        """Look at the first model's card."""
        ui.modelTable.selectRow(0)

    def in_review(self, ui) -> None:
        """Begin a correction of the core by threshold."""
        ui.readerEdit.setText("AB")
        ui.startBox.setCurrentIndex(ui.startBox.findData("core_adc"))
        ui.startButton.click()

    def sample_button(self, name: str):
        """Return the button of a simulated patient in Sample Data."""
        for kind in (qt.QToolButton, qt.QPushButton):
            for button in slicer.modules.sampledata.widgetRepresentation().findChildren(kind):
                if button.text == name:
                    return button
        raise LookupError(name)

    def idle(self) -> None:
        """Wait for the work to end."""
        settle(0.5)
        if not wait(lambda: self.panel.settled, 300):
            raise TimeoutError("the panel is still at work")
        settle()

    def show(self, section: str) -> None:
        """Open one section and bring it into view."""
        for each in self.panel.sections:
            getattr(self.panel.ui, f"{each}Section").collapsed = each != section
        settle(0.5)
        self.scroll_to(getattr(self.panel.ui, f"{section}Section"))

    def scroll_to(self, widget) -> None:
        """Bring the end of a widget, then its beginning, into view."""
        area = next(each for each in self.window.findChildren(qt.QScrollArea) if each.isAncestorOf(widget))
        area.ensureWidgetVisible(widget, 0, 0)
        settle()

    def grab(self, name: str) -> None:
        """Save the window as a picture."""
        path = self.folder / f"read-{name}.png"
        if not self.window.grab().scaledToWidth(_WIDTH, qt.Qt.SmoothTransformation).save(str(path)):
            raise OSError(f"{path}: cannot be written")
        print(path, flush=True)


def main() -> int:
    """Take all pictures; return the exit code."""
    try:
        Tutorial(Path(next(word for word in sys.argv[1:] if not word.startswith("-")))).run()
    except Exception:
        traceback.print_exc(file=sys.stdout)
        return 1
    return 0


if __name__ == "__main__":
    slicer.util.exit(main())
