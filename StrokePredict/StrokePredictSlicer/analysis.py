"""What the panel, the batch and scripts ask for, done by the worker and put into the scene when it is whole."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from StrokePredictLib.case import ROLES
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import to_itk
from StrokePredictLib.io.output import write_text
from StrokePredictLib.job_folder import JobFolder
from StrokePredictLib.progress import Progress, silent
from StrokePredictLib.study_folder import write_study
from StrokePredictLib.volume import Volume
from StrokePredictLib.worker_client import WorkerClient

from .kept_inputs import KeptInputs, maps_of
from .patient_node import OURS, PatientNode, add_patient
from .patient_scene import FOLLOW_UP, show_follow_up, show_study
from .study_of_patient import study_of_patient
from .volumes_in import series_of, volume_of

Done = Callable[[Any], None]
Failed = Callable[[str], None]


def _nobody(_: Any) -> None:
    """Told and not interested."""


@dataclass
class Told:
    """Whom to tell.

    Attributes
    ----------
    progress : Progress
        How far it is.
    done : callable
        Called with what was made, once it is whole and shown.
    failed : callable
        Called with one line; scene and files are then as before.
    """

    progress: Progress = silent
    done: Done = _nobody
    failed: Failed = _nobody


@dataclass
class Analysis:
    """Gives work to one worker, one thing after the other.

    Attributes
    ----------
    client : WorkerClient
        The worker.
    scene : vtkMRMLScene
        Where results go.
    """

    client: WorkerClient
    scene: Any
    _folders: list[JobFolder] = field(default_factory=list)
    _kept: KeptInputs = field(default_factory=KeptInputs)

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self.client.busy

    def cancel(self) -> None:
        """End what is under way; nothing is changed."""
        self.client.cancel()

    def open(self, folder: Path | str, patient: str | None, told: Told) -> None:
        """Read a patient's images from a folder into the scene, as a new patient."""
        parameters = {"folder": str(folder), "patient": patient}

        def show(result: dict[str, Any], place: Path) -> PatientNode:
            made = add_patient(self.scene, result["study"]["patient"], {"folder": str(folder), "patient": patient})
            show_study(made, result["study"], place)
            return made

        self._submit("open", parameters, told, show)

    def analyse(
        self,
        patient: PatientNode,
        told: Told,
        *,
        models: list[str] | None = None,
        demonstration: bool = False,
        device: str = "auto",
        aif: str | None = None,
        vof: str | None = None,
        method: str | None = None,
    ) -> None:
        """Make maps, thresholds and predictions of one patient.

        Parameters
        ----------
        patient : PatientNode
            Whose images.
        told : Told
            ``done`` gets the patient.
        models : list of str, optional
            All whose inputs exist if left out.
        demonstration : bool
            Run models trained on simulated patients on a real patient too.
        device : str
            auto, cuda, mps or cpu.
        aif, vof : str, optional
            Arterial input and venous output other than the automatic ones (`StrokePredictLib.perfusion.job.run`).
        method : str, optional
            Deconvolution other than the usual one (the same).
        """
        with self._job_folder(told) as job:
            parameters = self._inputs(patient, job) | {
                "models": models,
                "demonstration": demonstration,
                "device": device,
                "override": patient.text("override") or None,
                "thresholds": _limits(patient),
                "perfusion": self._perfusion(patient, job, {"aif": aif, "vof": vof, "method": method}),
                "segments": _segments(patient),
            }
            self._submit(
                "study", parameters, told, lambda r, place: self._show(patient, r["study"], place, anew=True), job
            )

    def again(
        self,
        patient: PatientNode,
        told: Told,
        *,
        models: list[str] | None = None,
        demonstration: bool = False,
        device: str = "auto",
    ) -> None:
        """Apply the tissue rules, and run models, on the maps that are there: no perfusion series is analysed again.

        Parameters
        ----------
        models : list of str, optional
            None run if left out.
        patient, told, demonstration, device
            See `analyse`.
        """
        with self._job_folder(told) as job:
            volumes = maps_of(patient)
            quality = patient.study.get("perfusion")
            if quality:
                write_text(job.path / "perfusion.json", json.dumps(quality, ensure_ascii=False))
            source = patient.reachable_source
            parameters = {
                "folder": source.get("folder"), "patient": source.get("patient"), "files": job.put(volumes),
                "models": models or [], "demonstration": demonstration or patient.simulated, "device": device,
                "override": patient.text("override") or None, "thresholds": _limits(patient),
                "segments": _segments(patient),
            }  # fmt: skip
            self._submit("study", parameters, told, lambda r, place: self._show(patient, r["study"], place), job)

    def what_if(
        self,
        patient: PatientNode,
        model: str,
        reperfusion: float,
        onset_min: float | None,
        told: Told,
        *,
        device: str = "auto",
    ) -> None:
        """Ask a conditioned model for one course of events; ``done`` gets its ``prediction.json`` and folder."""
        with self._job_folder(told) as job:
            source = patient.reachable_source
            parameters = {
                "folder": source.get("folder"), "patient": source.get("patient"), "files": self._kept.files(patient),
                "model": model, "reperfusion": reperfusion, "onset_min": onset_min, "form": ".nrrd", "device": device,
            }  # fmt: skip
            self._submit("what-if", parameters, told, lambda result, place: (result["prediction"], place), job)

    def report(self, patient: PatientNode, output: Path | str, told: Told) -> None:
        """Write the report of what the scene shows of a patient into a folder; ``done`` gets the page's path."""
        with self._job_folder(told) as job:
            study = study_of_patient(patient)
            write_study(job.path / "study", study, (patient.study or {}).get("seconds"))
            told_result = lambda result, place: Path(output) / "report.html"  # noqa: E731
            parameters = {"study": str(job.path / "study"), "output": str(output)}
            self._submit("report", parameters, told, told_result, job)

    def follow_up(self, patient: PatientNode, told: Told) -> None:
        """Bring the follow-up image onto the baseline's grid; ``done`` gets the job's result."""
        with self._job_folder(told) as job:
            own = patient.image(FOLLOW_UP)
            given = job.put({FOLLOW_UP: volume_of(own)})[FOLLOW_UP] if own is not None else None
            parameters = self._inputs(patient, job, with_series=False) | {"image": given}

            def show(result: dict[str, Any], place: Path) -> dict[str, Any]:
                show_follow_up(patient, result, place)
                return result

            self._submit("follow-up", parameters, told, show, job)

    def accept(self, patient: PatientNode, masks: dict[str, Volume], parameters: dict[str, Any], told: Told) -> None:
        """Save a correction into a cohort folder.

        Parameters
        ----------
        patient : PatientNode
            Whose.
        masks : dict of str to Volume
            ``mask``, and ``start_mask`` where it began with one.
        parameters : dict
            The rest of `StrokePredictLib.ground_truth_job.run`.
        told : Told
            ``done`` gets the job's result.
        """
        with self._job_folder(told) as job:
            own = {r: n for r, n in patient.images().items() if r in ROLES and not n.IsA("vtkMRMLSequenceNode")}
            images = {} if patient.reachable_source else job.put({r: volume_of(n) for r, n in own.items()})
            parameters = parameters | job.put(masks) | {
                "patient": patient.source.get("patient") or patient.name, "source": patient.reachable_source,
                "images": images,
            }  # fmt: skip
            self._submit("accept", parameters, told, lambda result, place: result, job)

    def run(self, name: str, parameters: dict[str, Any], told: Told) -> None:
        """Run any job; ``done`` gets its result."""
        self._submit(name, parameters, told, lambda result, place: result)

    def _show(
        self, patient: PatientNode, record: dict[str, Any], folder: Path, *, anew: bool = False
    ) -> PatientNode:
        show_study(patient, record, folder, anew=anew)
        return patient

    def _inputs(self, patient: PatientNode, job: JobFolder, *, with_series: bool = True) -> dict[str, Any]:
        """Return where the job finds the patient's images: the folder it came from, and what was chosen instead."""
        source = patient.source
        own = {r: n for r, n in patient.images().items() if n.GetAttribute(OURS) is None and r != FOLLOW_UP}
        files = job.put({role: volume_of(n) for role, n in own.items() if not n.IsA("vtkMRMLSequenceNode")})
        if with_series:
            files |= {role: _put_series(job, role, n) for role, n in own.items() if n.IsA("vtkMRMLSequenceNode")}
        if not source.get("folder") and not files:
            raise StrokeError(f"{patient.name}: has no images; choose a folder or volumes in the section Patient.")
        return {"folder": source.get("folder"), "patient": source.get("patient"), "files": files or None}

    def _perfusion(self, patient: PatientNode, job: JobFolder, wished: dict[str, str | None]) -> dict[str, Any] | None:
        chosen: dict[str, Any] = {key: word for key, word in wished.items() if word}
        for role in ("pwi", "ctp"):
            times = job.path / f"{role}-times.csv"
            if times.is_file():
                chosen["times"] = str(times)
        interval = patient.value("interval_s")
        if interval and "times" not in chosen:
            chosen["interval"] = float(interval)
        return chosen or None

    @contextlib.contextmanager
    def _job_folder(self, told: Told) -> Any:
        """Give a folder that goes when the job ends; what cannot even begin is told at once."""
        job = JobFolder()
        try:
            yield job
        except StrokeError as error:
            job.delete()
            told.failed(str(error))

    def _submit(
        self,
        name: str,
        parameters: dict[str, Any],
        told: Told,
        show: Callable[[dict[str, Any], Path], Any],
        job: JobFolder | None = None,
    ) -> None:
        job = job or JobFolder()
        self._folders.append(job)
        parameters = {"output": str(job.result)} | parameters

        def done(result: dict[str, Any]) -> None:
            try:
                made = show(result, job.result)
            except StrokeError as error:
                told.failed(str(error))
            else:
                told.done(made)
            finally:
                self._delete(job)

        def failed(words: str) -> None:
            self._delete(job)
            told.failed(words)

        self.client.submit(name, parameters, job.path, on_progress=told.progress, on_done=done, on_error=failed)

    def _delete(self, job: JobFolder) -> None:
        job.delete()
        self._folders = [each for each in self._folders if each is not job]

    def close(self) -> None:
        """End the worker and delete what is left."""
        self.client.stop()
        self._kept.delete()
        for job in list(self._folders):
            self._delete(job)


def _segments(patient: PatientNode) -> dict[str, str] | None:
    """Return which segment each model filled before: it fills the same again."""
    models = (patient.study.get("prediction") or {}).get("models", [])
    return {model["name"]: model["segment"] for model in models if model.get("segment")} or None


def _limits(patient: PatientNode) -> dict[str, Any] | None:
    chosen = patient.value("thresholds", {})
    return {key: chosen[key] for key in ("adc", "tmax", "rcbf", "skip") if chosen.get(key)} or None


def _put_series(job: JobFolder, role: str, node: Any) -> str:
    """Write a sequence node for the job, and its times beside it where it has any."""
    import SimpleITK

    volume, times = series_of(node)
    path = job.path / f"{role}.nrrd"
    SimpleITK.WriteImage(to_itk(volume), str(path), useCompression=False)
    if times is not None:
        np.savetxt(job.path / f"{role}-times.csv", times, fmt="%.4f")
    return str(path)
