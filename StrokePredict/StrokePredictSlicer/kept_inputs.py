"""A patient's maps as files that stay while the maps do: the worker need not look at the same images twice."""

from __future__ import annotations

from typing import Any

from StrokePredictLib.case import ROLES
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.job_folder import JobFolder

from .patient_node import PatientNode
from .patient_scene import reference_node
from .study_of_patient import masks_of
from .volumes_in import volume_of


def maps_of(patient: PatientNode) -> dict[str, Any]:
    """Return a patient's 3D images and maps as they are in the scene, and the brain mask, by role.

    Raises
    ------
    StrokeError
        If there are none.
    """
    images = {r: n for r, n in patient.images().items() if r in ROLES and not n.IsA("vtkMRMLSequenceNode")}
    volumes = {role: volume_of(node) for role, node in images.items()}
    if not volumes:
        raise StrokeError(f"{patient.name}: has no images yet; analyse first.")
    return volumes | masks_of(patient, volume_of(reference_node(patient)), only=("brain",))


class KeptInputs:
    """The files of the last patient asked for."""

    def __init__(self) -> None:
        self._stamp: tuple[Any, ...] = ()
        self._folder: JobFolder | None = None
        self._files: dict[str, str] = {}

    def files(self, patient: PatientNode) -> dict[str, str]:
        """Return the files by role; written anew only where an image changed since."""
        images = [(role, node.GetID(), node.GetImageData()) for role, node in sorted(patient.images().items())
                  if not node.IsA("vtkMRMLSequenceNode")]  # fmt: skip
        stamp = (
            patient.node.GetID(),
            *((role, node, image.GetMTime() if image is not None else 0) for role, node, image in images),
        )
        if self._folder is None or stamp != self._stamp:
            self.delete()
            self._folder = JobFolder()
            self._files = self._folder.put(maps_of(patient))
            self._stamp = stamp
        return self._files

    def delete(self) -> None:
        """Delete the files."""
        if self._folder is not None:
            self._folder.delete()
        self._folder, self._files, self._stamp = None, {}, ()
