"""The MRML scene and the logics around it: Slicer's own inside Slicer, a real Slicer core elsewhere."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError

#: Scene → its logics. The scene itself does not own them, yet a scene without them can neither save nor open.
_ATTRIBUTE = "strokeLogics"


def slicer_package() -> Any:
    """Return the ``slicer`` package: Slicer's own, or that of slicer-core.

    Raises
    ------
    StrokeError
        If neither is installed.
    """
    try:
        import slicer
    except ImportError as error:
        raise StrokeError(
            "Slicer's core is not installed, so no scene can be made; install it with: pip install slicer-core"
        ) from error
    return slicer


def inside_slicer() -> bool:
    """Whether this process is Slicer itself, with its own scene and logics."""
    return getattr(slicer_package(), "mrmlScene", None) is not None


def new_scene() -> Any:
    """Return a scene that can hold, save and open everything this extension makes.

    Returns
    -------
    vtkMRMLScene
        Inside Slicer the application's own scene; elsewhere a new, empty one with the logics of Slicer's core.
    """
    slicer = slicer_package()
    if inside_slicer():
        return slicer.mrmlScene
    scene = slicer.vtkMRMLScene()
    with collected_messages():  # the core looks in vain for the data folders that only Slicer's desktop has
        setattr(scene, _ATTRIBUTE, _make_logics(slicer, scene))
    return scene


def logic_of(scene: Any, name: str) -> Any:
    """Return a scene's logic by name.

    Parameters
    ----------
    scene : vtkMRMLScene
        From `new_scene`, or Slicer's own.
    name : str
        ``"application"``, or a module: ``"colors"``, ``"volumes"``, ``"segmentations"``, ``"terminologies"``.
    """
    logics = getattr(scene, _ATTRIBUTE, None)
    if logics is not None:
        return logics[name]
    slicer = slicer_package()
    if name == "application":
        return slicer.app.applicationLogic()
    return getattr(slicer.modules, name).logic()


def bundle_folder(scene: Any) -> str:
    """Return the folder in which a scene's .mrb is packed before it is written."""
    manager = scene.GetCacheManager()
    folder = manager.GetRemoteCacheDirectory() if manager is not None else ""
    return folder or tempfile.gettempdir()


def close_scene(scene: Any) -> None:
    """Empty a scene from `new_scene` and let its logics go; inside Slicer only empty it."""
    scene.Clear(True)
    logics = scene.__dict__.pop(_ATTRIBUTE, {})
    if not logics:
        return
    folder = logics.pop("folder")
    with collected_messages():
        logics["remote_io"].RemoveDataIOFromScene()
        for logic in reversed(list(logics.values())):
            logic.SetMRMLScene(None)
    folder.cleanup()


@contextlib.contextmanager
def collected_messages() -> Iterator[list[str]]:
    """Collect what VTK would print; on leaving, the list holds its errors and warnings as one text, if any.

    VTK's writers report a full disk by printing alone, so whoever saves has to read what they print.
    """
    import vtk

    before = vtk.vtkOutputWindow.GetInstance()
    window = vtk.vtkStringOutputWindow()
    vtk.vtkOutputWindow.SetInstance(window)
    verbosity = vtk.vtkLogger.GetCurrentVerbosityCutoff()
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    messages: list[str] = []
    try:
        yield messages
    finally:
        vtk.vtkOutputWindow.SetInstance(before)
        vtk.vtkLogger.SetStderrVerbosity(verbosity)
        if window.GetOutput().strip():
            messages.append(window.GetOutput())


def _make_logics(slicer: Any, scene: Any) -> dict[str, Any]:
    """Make the application logic, the module logics and the file input and output of a scene."""
    application = slicer.vtkSlicerApplicationLogic()
    application.SetMRMLScene(scene)
    modules = {
        "colors": slicer.vtkSlicerColorLogic,
        "volumes": slicer.vtkSlicerVolumesLogic,
        "terminologies": slicer.vtkSlicerTerminologiesModuleLogic,
        "subjecthierarchy": slicer.vtkSlicerSubjectHierarchyModuleLogic,
        "segmentations": slicer.vtkSlicerSegmentationsModuleLogic,
        "tables": slicer.vtkSlicerTablesLogic,
        "texts": slicer.vtkSlicerTextsLogic,
    }
    logics: dict[str, Any] = {"application": application}
    for name, make in modules.items():
        logic = make()
        # Before the scene: a logic looks its neighbours up through the application when the scene arrives.
        logic.SetMRMLApplicationLogic(application)
        logic.SetMRMLScene(scene)
        logics[name] = logic
        if name == "colors":
            application.SetColorLogic(logic)
    for name, module in (("Volumes", "volumes"), ("Segmentations", "segmentations"), ("Colors", "colors")):
        application.SetModuleLogic(name, logics[module])
    application.SetModuleLogic("Terminologies", logics["terminologies"])
    logics.update(_make_file_access(slicer, scene, application))
    return logics


def _make_file_access(slicer: Any, scene: Any, application: Any) -> dict[str, Any]:
    """Register what .mrb files are packed and unpacked with."""
    remote_io = slicer.vtkMRMLRemoteIOLogic()
    remote_io.SetMRMLScene(scene)
    data_io = slicer.vtkDataIOManagerLogic()
    data_io.SetMRMLApplicationLogic(application)
    remote_io.AddDataIOToScene()
    data_io.SetAndObserveDataIOManager(remote_io.GetDataIOManager())
    folder = tempfile.TemporaryDirectory(prefix="stroke-scene-")
    (Path(folder.name) / ".slicer-cache").touch()  # VTK's cache refuses folders without this mark
    remote_io.GetCacheManager().SetRemoteCacheDirectory(folder.name)
    return {"remote_io": remote_io, "data_io": data_io, "folder": folder}
