"""What `perfusion.json` holds."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from .deconvolve import Settings
from .inputs import Choice
from .prepare import Preparation, Prepared
from .quality import Check
from .scaling import Scaling, ratio_bias

#: What the Tmax map is; the 6 s rule reads it.
TMAX_ORIGIN = {
    "svd": "time of the maximum of the deconvolved residue, floored at 0",
    "vascular": (
        "time of the maximum of the reference bSVD residue (cut 10 %) of the fitted curve, floored at 0; calibrated "
        "against noise-free reference curves on separate cases (docs/reference/perfusion-accuracy.md)"
    ),
}


def summarise(
    prepared: Prepared,
    how: Preparation,
    settings: Settings,
    scaling: Scaling,
    arterial: Choice,
    venous: Choice | None,
    checks: list[Check],
) -> dict:
    """Return the record of one run as plain data; times count from the first acquired frame."""
    axis, bolus = prepared.axis, prepared.bolus
    times = axis.even + prepared.start
    acquired = axis.acquired if axis.acquired.ndim == 1 else axis.acquired.mean(axis=1)
    failed = [c.name for c in checks if not c.passed]
    record = {
        "modality": how.modality,
        "method": settings.method,
        "parameters": asdict(settings) | {"smoothing_fwhm_mm": how.smoothing, "motion_correction": how.correct_motion},
        "scaling": {
            "haematocrit_factor": scaling.haematocrit_factor,
            "density_g_per_ml": scaling.density,
            "ratio_bias": ratio_bias(settings.method),
        },
        "tmax_origin": TMAX_ORIGIN["vascular" if settings.method == "vascular" else "svd"],
        "echo_time_s": how.echo_time,
        "times": {
            "interval_s": round(axis.dt, 5),
            "frames": len(times),
            "dropped_first": bolus.first,
            "even_already": axis.is_even,
            "times_s": np.round(times, 4).tolist(),
        },
        "bolus": {
            "arrival_frame": bolus.arrival,
            "peak_frame": bolus.peak,
            "baseline_s": np.round(prepared.start + acquired[[0, bolus.arrival - bolus.first - 1]], 3).tolist(),
        },
        "brain_curve": np.round(prepared.tissue.curves.mean(axis=1, dtype=np.float64), 6).tolist(),
        "aif": describe_choice(arterial),
        "vof": describe_choice(venous) if venous is not None else None,
        "motion": _motion(prepared),
        "voxels": int(prepared.tissue.index.size),
        "not_numbers": asdict(prepared.gaps),
        "quality": [c.as_dict() for c in checks],
        "quality_passed": not failed,
        "quality_failed": failed,
        "warnings": list(prepared.warnings),
    }
    return record


def describe_choice(choice: Choice) -> dict:
    """Return an input function as plain data."""
    told = {"source": choice.source, "voxel": choice.voxel, "place_lps_mm": choice.place}
    told |= {"voxels": int(choice.rows.size), "curve": np.round(choice.curve, 5).tolist()}
    return told | choice.notes | ({"candidates": choice.candidates} if choice.candidates else {})


def _motion(prepared: Prepared) -> dict | None:
    moved = prepared.motion
    if moved is None:
        return None
    return {
        "displacement_mm": np.round(moved.displacement, 3).tolist(),
        "corrected_frames": moved.corrected,
        "rejected_frames": moved.rejected,
    }
