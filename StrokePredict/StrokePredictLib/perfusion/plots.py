"""Pictures for the record: input curves, and the maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .pipeline import PerfusionResult

#: Window (low, high), unit and colour table of each map.
LOOK = {
    "cbf": (0.0, 80.0, "mL/100 g/min", "turbo"),
    "cbv": (0.0, 6.0, "mL/100 g", "turbo"),
    "mtt": (0.0, 16.0, "s", "turbo"),
    "tmax": (0.0, 12.0, "s", "turbo"),
    "delay": (-2.0, 10.0, "s", "turbo"),
    "ttp": (None, None, "s", "turbo"),
}


def plot_inputs(result: PerfusionResult, path: Path) -> None:
    """Draw arterial input, venous output and the brain's mean curve."""
    from matplotlib.figure import Figure

    summary = result.summary
    unit = "ΔR2* (1/s)" if summary["modality"] == "MR" and summary["echo_time_s"] else "−ln(S/S0)"
    unit = "ΔHU" if summary["modality"] == "CT" else unit
    figure = Figure(figsize=(7.5, 4.2), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    times = summary["times"]["times_s"]
    axes.plot(times, summary["aif"]["curve"], color="#c0392b", lw=2, label=f"artery ({summary['aif']['source']})")
    if summary["vof"]:
        axes.plot(times, summary["vof"]["curve"], color="#2c5aa0", lw=2, label="venous output")
    brain = np.array(summary["brain_curve"])
    factor = _round_factor(max(summary["aif"]["curve"]) / max(brain.max(), 1e-9) / 2.0)
    axes.plot(times, factor * brain, color="#555555", lw=1.5, label=f"brain mean × {factor:g}")
    axes.axvspan(*summary["bolus"]["baseline_s"], color="#dddddd", alpha=0.6, lw=0, label="baseline")
    axes.set(xlabel="time (s)", ylabel=unit, title="Input functions")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    figure.savefig(path)


def plot_maps(result: PerfusionResult, path: Path, slices: int = 5) -> None:
    """Draw a row of slices of every map, as a reader sees them: patient's right at the left."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    mask = result.mask.array
    shown = _slices(mask, slices)
    names = [n for n in ("cbf", "cbv", "mtt", "tmax", "delay", "ttp") if n in result.maps]
    window = _box(mask)
    figure = Figure(figsize=(1.75 * len(shown) + 1.2, 1.9 * len(names)), dpi=110, layout="constrained")
    axes = figure.subplots(len(names), len(shown), squeeze=False)
    for row, name in zip(axes, names, strict=True):
        low, high, unit, table = LOOK[name]
        array = result.maps[name].array
        if low is None:
            low, high = np.percentile(array[mask & (array > 0)], [2, 98])
        colours = colormaps[table].with_extremes(bad="black")
        for place, z in zip(row, shown, strict=True):
            plane = _upright(np.where(mask[z], array[z], np.nan)[window], result.mask)
            spacing = result.mask.spacing
            drawn = place.imshow(plane, cmap=colours, vmin=low, vmax=high, aspect=spacing[1] / spacing[0])
            place.set(xticks=[], yticks=[], facecolor="black")
        row[0].set_ylabel(name.upper() if name not in ("tmax", "delay") else name.capitalize(), fontsize=11)
        bar = figure.colorbar(drawn, ax=list(row), fraction=0.04, pad=0.01)
        bar.set_label(unit, fontsize=8)
        bar.ax.tick_params(labelsize=7)
    for place, z in zip(axes[0], shown, strict=True):
        place.set_title(f"slice {z + 1}", fontsize=8)
    figure.savefig(path)


def _slices(mask: np.ndarray, count: int) -> list[int]:
    """Return slices spread over those with the most brain."""
    full = np.flatnonzero(mask.sum(axis=(1, 2)) > 0.3 * mask.sum(axis=(1, 2)).max())
    return sorted({int(z) for z in full[np.linspace(0, len(full) - 1, min(count, len(full))).round().astype(int)]})


def _box(mask: np.ndarray) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=(0, 2))), np.flatnonzero(mask.any(axis=(0, 1)))
    return slice(max(0, rows[0] - 2), rows[-1] + 3), slice(max(0, columns[0] - 2), columns[-1] + 3)


def _upright(plane: np.ndarray, grid) -> np.ndarray:
    """Flip a ``(y, x)`` plane so that anterior is up and the patient's right is at the left."""
    if grid.direction[0, 0] < 0:
        plane = plane[:, ::-1]
    return plane[::-1] if grid.direction[1, 1] < 0 else plane


def _round_factor(value: float) -> float:
    return float(max(1, round(value)))
