"""Thirty patients in a row in one process leave nothing behind. Takes minutes: run only where it is named."""

from __future__ import annotations

import os
import unittest
from pathlib import Path

import slicer
from harness import PanelTest, wait

COUNT = 30
#: From here on the caches are full: what is more later is a leak.
SETTLED = 5


def resident_mb(pid: int | str = "self") -> float:
    """Return the resident memory of a process in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@unittest.skipUnless(Path("/proc/self/statm").is_file(), "resident memory is read from Linux's /proc")
class MemoryTest(PanelTest):
    def test_thirty_patients_in_a_row(self) -> None:
        own, theirs, left = [], [], []
        for number in range(COUNT):
            self.open_patient(f"sub-000{1 + number % 2}")
            self.panel.ui.analyseButton.click()
            self.idle(400)
            self.assertEqual(self.errors, [])
            own.append(resident_mb())
            theirs.append(resident_mb(self.panel.analysis.client.pid))
            self.panel.ui.removePatientButton.click()
            wait(lambda: False, 0.2)
            left.append(self.kinds())
        for number, kinds in enumerate(left[SETTLED:], SETTLED):
            self.assertEqual(kinds, left[SETTLED - 1], f"nodes left by patient {number + 1}")
        print("resident, MB: " + ", ".join(f"{mb:.0f}" for mb in own))
        print("the worker, MB: " + ", ".join(f"{mb:.0f}" for mb in theirs))
        for name, found in (("own", own), ("worker", theirs)):
            print(f"{name}: {found[-1] / found[SETTLED - 1] - 1:+.1%} from patient {SETTLED} to {COUNT}")
            self.assertLessEqual(found[-1], 1.05 * found[SETTLED - 1], name)

    def kinds(self) -> dict[str, int]:
        """Return how many nodes of each class the scene holds; those of colours are made once and kept."""
        found: dict[str, int] = {}
        for index in range(slicer.mrmlScene.GetNumberOfNodes()):
            kind = slicer.mrmlScene.GetNthNode(index).GetClassName()
            found[kind] = found.get(kind, 0) + 1
        return found
