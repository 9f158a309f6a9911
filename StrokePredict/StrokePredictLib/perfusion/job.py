"""The perfusion job: a series file in, maps and their record in a folder out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ..errors import StrokeError
from ..io.images import is_image_name, read_image, write_image
from ..io.output import staged_folder, write_text
from ..progress import Progress, part, silent
from ..provenance import provenance
from . import plots, sources
from .manual import InputVoxels
from .pipeline import PerfusionResult, compute_maps

#: What an earlier run may have left here by another method.
OWN_FILES = ("cbf*.nii.gz", "cbv*.nii.gz", "mtt*.nii.gz", "delay*.nii.gz", "tmax.nii.gz", "ttp.nii.gz")


def run(
    series: Path | str,
    output: Path | str,
    *,
    modality: str | None = None,
    interval: float | None = None,
    times: Path | str | None = None,
    echo_time: float | None = None,
    mask: Path | str | None = None,
    aif: str | Path = "auto",
    vof: str | Path = "auto",
    method: str = "bsvd",
    progress: Progress = silent,
    **options: object,
) -> dict:
    """Compute the maps of one series file and write them.

    Parameters
    ----------
    series : path-like
        4D NIfTI, NRRD or MetaImage.
    output : path-like
        Folder; gets ``cbf cbv mtt tmax ttp .nii.gz``, ``perfusion.json``, ``inputs.png`` and ``maps.png``.
    modality : {"MR", "CT"}, optional
        Told from the values if left out.
    interval : float, optional
        s between frames.
    times : path-like, optional
        CSV of frame times in s.
    echo_time : float, optional
        TE in s.
    mask : path-like, optional
        Brain mask on the series' grid.
    aif : str or path-like
        "auto"; ``voxel:X,Y,Z`` or ``point:X,Y,Z`` (LPS mm); an image of a region; or a CSV of the arterial curve: one
        concentration a frame, or two columns, time in s and concentration.
    vof : str or path-like
        Venous output: "auto"; ``voxel:X,Y,Z`` or ``point:X,Y,Z`` (LPS mm); or an image of a region.
    method : {"bsvd", "osvd", "tikhonov", "vascular"}
        Deconvolution.
    **options
        Passed to `compute_maps`.

    Returns
    -------
    dict
        ``files``, the paths written, and ``summary``, the content of ``perfusion.json``.

    Raises
    ------
    StrokeError
        If an input cannot be used, or the folder not written.
    """
    path = Path(series)
    progress(0.0, "reading")
    volume = read_image(path, series=True)
    timing = sources.find_timing(
        volume, path, interval=interval, times=Path(times) if times else None, echo_time=echo_time
    )
    sidecar = sources.read_sidecar(path)
    modality = modality or guess_modality(volume.array, str(path), sidecar)
    brain = read_image(mask, series=False) if mask else None
    if brain is not None:
        volume.require_same_grid(brain)
    result = compute_maps(
        volume,
        timing.times,
        modality=modality,
        echo_time=timing.echo_time,
        mask=brain,
        aif=read_input(aif, timing.times),
        vof=_venous_input(vof),
        method=method,
        progress=part(progress, 0.1, 0.85),
        **options,
    )
    result.summary["times"]["source"] = timing.source
    result.summary["warnings"] = [*timing.warnings, *result.summary["warnings"]]
    inputs = {"series": path} | ({"mask": Path(mask)} if mask else {})
    chosen = {"method": method, "modality": modality, "aif": str(aif), "vof": str(vof), "echo_time_s": timing.echo_time}
    result.summary |= {"series": path.name, "simulated": sidecar.get("Simulated") is True}
    result.summary["provenance"] = provenance(inputs, chosen)
    progress(0.9, "writing")
    return {"files": [str(f) for f in write(result, Path(output))], "summary": result.summary}


def write(result: PerfusionResult, output: Path) -> list[Path]:
    """Write maps, record and pictures into ``output``, all or none; return their paths."""
    with staged_folder(output, owns=OWN_FILES) as stage:
        for name, volume in result.maps.items():
            write_image(stage / f"{name}.nii.gz", volume)
        write_text(stage / "perfusion.json", json.dumps(result.summary, indent=1, ensure_ascii=False) + "\n")
        plots.plot_inputs(result, stage / "inputs.png")
        plots.plot_maps(result, stage / "maps.png")
        names = sorted(f.name for f in stage.iterdir())
    return [output / name for name in names]


def read_input(aif: str | Path, times: np.ndarray) -> str | np.ndarray | InputVoxels:
    """Return the arterial input as `compute_maps` takes it.

    Parameters
    ----------
    aif : str or path-like
        "auto"; ``voxel:X,Y,Z`` (indices) or ``point:X,Y,Z`` (LPS mm), several joined by ``;``; an image file: a region;
        another file: a CSV curve.
    times : numpy.ndarray
        Frame times, for the length of the curve.

    Raises
    ------
    StrokeError
        If it cannot be read.
    """
    text = str(aif)
    if text == "auto":
        return "auto"
    places = _read_places(text)
    return places if places is not None else _curve(Path(aif), times)


def _venous_input(vof: str | Path) -> str | InputVoxels:
    """Return the venous output as `compute_maps` takes it."""
    given = "auto" if str(vof) == "auto" else _read_places(str(vof))
    if given is None:
        raise StrokeError(f"{vof}: no venous output; give auto, voxel:X,Y,Z, point:X,Y,Z or an image of a region.")
    return given


def _read_places(text: str) -> InputVoxels | None:
    """Return the voxels, points or region that a text names; None where it names none."""
    kind, _, places = text.partition(":")
    if kind in ("voxel", "point") and places:
        return _places(kind, places)
    return InputVoxels(roi=read_image(text, series=False)) if is_image_name(text) else None


def _places(kind: str, places: str) -> InputVoxels:
    try:
        found = tuple(tuple(float(n) for n in place.split(",")) for place in places.split(";"))
    except ValueError as error:
        raise StrokeError(f"{kind}:{places}: write three numbers, as {kind}:64,50,12.") from error
    if any(len(place) != 3 for place in found):
        raise StrokeError(f"{kind}:{places}: write three numbers, as {kind}:64,50,12.")
    if kind == "point":
        return InputVoxels(points=found)
    return InputVoxels(voxels=tuple(tuple(round(n) for n in place) for place in found))


def _curve(aif: Path, times: np.ndarray) -> np.ndarray:
    table = sources.read_table(aif)
    table = table.T if table.shape[0] == 1 else table
    if table.shape[1] == 1 and table.shape[0] != len(times):
        raise StrokeError(f"{aif}: {table.shape[0]} values for {len(times)} frames; add a column of times in s.")
    if table.shape[1] > 2:
        raise StrokeError(f"{aif}: {table.shape[1]} columns; one (concentration) or two (time in s, concentration).")
    return table[:, 0] if table.shape[1] == 1 else table


def guess_modality(array: np.ndarray, name: str, sidecar: dict) -> str:
    """Return "CT" or "MR" from the sidecar, the values (air is near −1000 HU) or the file's name.

    Raises
    ------
    StrokeError
        If all three leave it open.
    """
    told = str(sidecar.get("Modality", "")).upper()
    if told in ("CT", "MR"):
        return told
    if float(array[0].min()) < -200:
        return "CT"
    lower = Path(name).name.lower()
    if "ctp" in lower:
        return "CT"
    if any(word in lower for word in ("pwi", "dsc", "perf_mr")) or sidecar.get("EchoTime"):
        return "MR"
    raise StrokeError(f"{name}: cannot tell whether it is MR or CT; say --modality MR or --modality CT.")
