"""A patient of a cohort shown in the module StrokePredict, with outlines from files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import read_image
from StrokePredictLib.job_folder import JobFolder
from StrokePredictSlicer import overlays
from StrokePredictSlicer.analysis import Told
from StrokePredictSlicer.patient_node import OURS, PatientNode
from StrokePredictSlicer.patient_scene import put_mask, put_masks
from StrokePredictSlicer.volumes_in import volume_of

#: ms between two looks whether StrokePredict is at work.
_GLANCE_MS = 100
_timers: list[Any] = []
#: Segment's key, its name, and the file.
Mask = tuple[str, str, str]


def predict_panel() -> Any:
    """Return StrokePredict's panel; made if it was not open yet."""
    return slicer.util.getModuleWidget("StrokePredict").panel


def show_patient(
    panel: Any,
    folder: str,
    which: str | None,
    masks: Sequence[Mask],
    *,
    thresholds: bool = False,
    stay: bool = False,
    done: Callable[[PatientNode], None] | None = None,
) -> None:
    """Open a patient in StrokePredict and lay outlines over it.

    Parameters
    ----------
    panel : Panel
        StrokeTrain's, told of what goes wrong here.
    folder, which : str
        As `StrokePredictSlicer.analysis.Analysis.open`.
    masks : sequence of Mask
        Read before anything is opened.
    thresholds : bool
        Apply the tissue rules to the maps that are there, too.
    stay : bool
        Leave StrokeTrain's panel in front.
    done : callable, optional
        Called with the patient when all is shown.
    """
    try:
        volumes = [(key, name, read_image(path, series=False, may_be_empty=True)) for key, name, path in masks]
    except StrokeError as error:
        panel.say_error(str(error))
        return
    if not stay:
        slicer.util.selectModule("StrokePredict")
    theirs = predict_panel()

    def outlined(patient: PatientNode) -> None:
        for key, name, volume in volumes:
            mask = volume.with_array(volume.array > 0.5)
            if patient.segmentation is None:
                put_masks(patient, {key: mask})
            put_mask(patient.segmentation, key, mask, name)
        theirs.set_patient(patient)
        overlays.show_layout(patient)
        if patient.segmentation is not None:
            _show_segments(patient, [key for key, _name, _volume in volumes] + ["core_adc", "hypoperfused_tmax"])
            overlays.show_filled(patient, False)
        if done is not None:
            done(patient)

    def opened(patient: PatientNode) -> None:
        theirs.set_patient(patient)
        if thresholds:
            theirs.work(_("Thresholds"), lambda told: theirs.analysis.again(patient, told), done=outlined)
        else:
            outlined(patient)

    def begin() -> None:
        there = _open_already(theirs, folder, which)
        if there is not None:
            opened(there)
        else:
            theirs.work(_("Open"), lambda told: theirs.analysis.open(folder, which, told), done=opened)

    when_idle(theirs, begin)


def show_glimpse(panel: Any, result: dict[str, Any]) -> None:
    """Outline what a network in training says of a patient: the patient is opened once, then only the outline changes.

    Parameters
    ----------
    panel : Panel
        StrokeTrain's.
    result : dict
        Of the job ``glimpse``.
    """
    name = _("After epoch {epoch}").format(epoch=result["epoch"])
    there = _open_already(predict_panel(), result["folder"], result["which"])
    if there is not None and there.segmentation is not None:
        mask = read_image(result["mask"], series=False, may_be_empty=True)
        put_mask(there.segmentation, result["segment"], mask.with_array(mask.array > 0.5), name)
        return
    masks = [("ground_truth", _("Truth"), result["truth"])] if result["truth"] else []
    masks.append((result["segment"], name, result["mask"]))
    show_patient(panel, result["folder"], result["which"], masks, stay=True)


def when_idle(theirs: Any, begin: Callable[[], None]) -> None:
    """Do something once StrokePredict's panel is not at work: coming into view, it looks at the computer first."""
    if not theirs.busy:
        begin()
        return
    timer = qt.QTimer()
    timer.setInterval(_GLANCE_MS)

    def look() -> None:
        if not theirs.busy:
            timer.stop()
            _timers.remove(timer)
            begin()

    timer.timeout.connect(look)
    _timers.append(timer)
    timer.start()


def _open_already(theirs: Any, folder: str, which: str | None) -> PatientNode | None:
    from StrokePredictSlicer.patient_node import patients

    wanted = {"folder": str(folder), "patient": which}
    return next((patient for patient in patients(slicer.mrmlScene) if patient.source == wanted), None)


def _show_segments(patient: PatientNode, keys: Sequence[str]) -> None:
    """Show some segments and hide the rest."""
    display, inner = patient.segmentation.GetDisplayNode(), patient.segmentation.GetSegmentation()
    for index in range(inner.GetNumberOfSegments()):
        key = inner.GetNthSegmentID(index)
        display.SetSegmentVisibility(key, key in keys)


def open_for_reading(panel: Any, folder: str, which: str | None, cohort: str, reader: str, target: str) -> None:
    """Open a patient in StrokePredict for a reader, without anybody's outline, ready to be corrected and accepted."""

    def opened(_patient: PatientNode) -> None:
        section = predict_panel().sections["review"]
        section.ui.readerEdit.setText(reader)
        section.ui.cohortEdit.setCurrentPath(cohort)
        section.ui.targetBox.setCurrentIndex(max(0, section.ui.targetBox.findData(target)))
        predict_panel().ui.reviewSection.collapsed = False

    show_patient(panel, folder, which, [], done=opened)


def add_current_case(panel: Any, cohort: str, done: Callable[[], None]) -> None:
    """Copy images and facts of StrokePredict's active patient into a cohort."""
    patient = predict_panel().patient
    if patient is None:
        panel.say_error(_("No patient is open in Stroke Predict."))
        return

    def begin(told: Told) -> None:
        job = JobFolder()

        def ended(tell: Callable[[Any], None]) -> Callable[[Any], None]:
            return lambda said: (job.delete(), tell(said))

        try:
            own = {role: node for role, node in patient.images().items() if node.GetAttribute(OURS) is None}
            flat = {role: volume_of(node) for role, node in own.items() if not node.IsA("vtkMRMLSequenceNode")}
            parameters = {
                "cohort": cohort, "patient": patient.source.get("patient") or patient.name, "source": patient.source,
                "images": job.put(flat), "facts": patient.value("facts", {}),
            }  # fmt: skip
        except StrokeError:
            job.delete()
            raise
        panel.analysis.run("add-case", parameters, Told(told.progress, ended(told.done), ended(told.failed)))

    def added(result: dict[str, Any]) -> None:
        words = _("{patient}: {count} images copied. Its label goes in with Accept in Stroke Predict.")
        panel.say(words.format(patient=result["patient"], count=len(result["files"])))
        done()

    panel.work(_("Adding the patient"), begin, added)
