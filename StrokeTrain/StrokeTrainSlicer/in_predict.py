"""A patient of a cohort shown in the module StrokePredict, with outlines from files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import read_image
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictLib.job_folder import JobFolder
from StrokePredictLib.volume import Volume
from StrokePredictSlicer import overlays
from StrokePredictSlicer.analysis import Told
from StrokePredictSlicer.patient_node import OURS, PatientNode
from StrokePredictSlicer.patient_scene import put_mask, put_masks
from StrokePredictSlicer.volumes_in import volume_of

#: ms between two looks whether StrokePredict is at work.
_GLANCE_MS = 100
_timers: list[Any] = []
#: Colours of two readings to settle.
_READINGS = {"a": (1.0, 0.65, 0.0), "b": (0.0, 0.75, 1.0)}
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
    anew: bool = False,
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
    anew : bool
        Do not take a patient who is open already with somebody's outline.
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
        theirs.show_layout(lambda: _jump_to([volume for _key, _name, volume in volumes]))
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
        if anew and there is not None and _has_outlines(there):
            there = None
        if there is not None:
            opened(there)
        else:
            theirs.work(_("Open"), lambda told: theirs.analysis.open(folder, which, told), done=opened)

    when_idle(theirs, begin)


def _jump_to(masks: Sequence[Volume]) -> None:
    """Turn the views to the section in which the first mask that is not empty is largest."""
    mask = next((volume for volume in masks if (volume.array > 0.5).any()), None)
    if mask is None:
        return
    inside = mask.array > 0.5
    z = int(inside.sum(axis=(1, 2)).argmax())
    y, x = (float(part.mean()) for part in inside[z].nonzero())
    left, posterior, superior = (mask.affine @ (x, y, z, 1.0))[:3]
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, -left, -posterior, superior)


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


def _has_outlines(patient: PatientNode) -> bool:
    """Whether somebody's outline is among a patient's segments."""
    inner = patient.segmentation.GetSegmentation() if patient.segmentation is not None else None
    keys = [inner.GetNthSegmentID(index) for index in range(inner.GetNumberOfSegments())] if inner else []
    return any(key.startswith(("read", "start_", "ground_truth", "follow_up_lesion")) for key in keys)


def _show_segments(patient: PatientNode, keys: Sequence[str]) -> None:
    """Show some segments and hide the rest."""
    display, inner = patient.segmentation.GetDisplayNode(), patient.segmentation.GetSegmentation()
    for index in range(inner.GetNumberOfSegments()):
        key = inner.GetNthSegmentID(index)
        display.SetSegmentVisibility(key, key in keys)


def open_for_reading(
    panel: Any, folder: str, which: str | None, cohort: str, reader: str, target: str, files: Sequence[str] = ()
) -> None:
    """Open a patient in StrokePredict for a reader, ready to be corrected and accepted.

    Parameters
    ----------
    panel, folder, which
        As for `show_patient`.
    cohort, reader, target : str
        Where the reader's outline goes, whose it is, and of what.
    files : sequence of str
        Two readings to settle: shown as A and B, without names. Without them nobody's outline is shown; a patient
        who is open with one already is opened once more.
    """

    def opened(patient: PatientNode) -> None:
        patient.set_value("settles", {"target": target, "reader": reader, "files": list(files)} if files else {})
        for letter, path in zip("ab", files, strict=False):
            patient.set_value(f"start.reading_{letter}", _begun_with(path))
            patient.segmentation.GetSegmentation().GetSegment(f"reading_{letter}").SetColor(*_READINGS[letter])
        section = predict_panel().sections["review"]
        section.ui.readerEdit.setText(reader)
        section.ui.cohortEdit.setCurrentPath(cohort)
        section.ui.targetBox.setCurrentIndex(max(0, section.ui.targetBox.findData(target)))
        predict_panel().ui.reviewSection.collapsed = False

    masks = [
        (f"reading_{letter}", _("Reading {letter}").format(letter=letter.upper()), path)
        for letter, path in zip("ab", files, strict=False)
    ]
    show_patient(panel, folder, which, masks, anew=True, done=opened)


def _begun_with(path: str) -> dict[str, Any]:
    """Return the hash of the model that a reading began with, if it did: who goes on from it has begun with it, too."""
    beside = Path(path.split(".nii")[0] + ".json")
    try:
        return {"start_hash": read_json_object(beside).get("start_hash")}
    except StrokeError:
        return {}


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
