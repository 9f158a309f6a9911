"""The result folders of one patient to a `Study`."""

from __future__ import annotations

from pathlib import Path

from ..case import StrokeCase
from ..io.images import read_image
from ..io.json_files import read_json_object
from ..segments import assigned
from ..study import Study
from ..threshold_job import MASK_FILES
from ..thresholds import penumbra
from ..volume import Volume


def collect_study(
    case: StrokeCase,
    *,
    thresholds: Path | str,
    prediction: Path | str | None = None,
    perfusion: Path | str | None = None,
    segments: dict[str, str] | None = None,
) -> Study:
    """Put a case and the folders that ``threshold``, ``predict`` and ``perfusion`` wrote together.

    Parameters
    ----------
    case : StrokeCase
        With the maps that the thresholds were applied to.
    thresholds, prediction, perfusion : path-like
        Result folders; the last two may be left out.
    segments : dict of str to str, optional
        Key of the mask by model name, where models ran on this patient before (`StrokePredictLib.segments.assigned`).

    Raises
    ------
    StrokeError
        If a file is missing, or lies on another grid than the case.
    """
    thresholds = Path(thresholds)
    study = Study(case, volumes=read_json_object(thresholds / "volumes.json"))
    for key, name in MASK_FILES.items():
        if key in study.volumes.get("volumes_ml", {}):
            study.masks[key] = _on_grid(case, thresholds / name, is_mask=True)
    core = study.volumes.get("core_source")
    if core in study.masks and "hypoperfused_tmax" in study.masks:
        study.masks["penumbra"] = penumbra(study.masks["hypoperfused_tmax"], study.masks[core])
    if prediction is not None:
        study.prediction = read_json_object(Path(prediction) / "prediction.json")
        keys = assigned(study.prediction["models"], segments)
        for model in study.prediction["models"]:
            name = model["name"]
            model["segment"] = keys[name]
            study.probabilities[name] = _on_grid(case, Path(prediction) / f"prob_{name}.nii.gz")
            study.masks[model["segment"]] = _on_grid(case, Path(prediction) / f"mask_{name}.nii.gz", is_mask=True)
    if perfusion is not None:
        study.perfusion = read_json_object(Path(perfusion) / "perfusion.json")
    study.provenance = {
        "thresholds": study.volumes.get("provenance", {}),
        "prediction": (study.prediction or {}).get("provenance", {}),
        "perfusion": (study.perfusion or {}).get("provenance", {}),
    }
    return study


def _on_grid(case: StrokeCase, path: Path, *, is_mask: bool = False) -> Volume:
    volume = read_image(path, series=False, may_be_empty=True)
    case.reference.require_same_grid(volume)
    return case.reference.with_array(volume.array > 0.5 if is_mask else volume.array, name=path.name)
