"""Whether a cohort is the one that a run was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from StrokePredictLib.errors import StrokeError

from ..cohort.table import Patient


def require_same_cohort(run: Mapping[str, Any], patients: Sequence[Patient]) -> None:
    """Refuse a cohort whose images are not those that the run began with; another copy of it is welcome.

    Parameters
    ----------
    run : mapping
        ``run.json``.
    patients : sequence of Patient
        Of the cohort. Who of the run is missing from it is no fault here; corrected outlines are none either.

    Raises
    ------
    StrokeError
        If nobody of the run is there, or an image's size in bytes is another one.
    """
    known = {patient.id: patient for patient in patients}
    shared = sorted(name for name in run["files"] if name in known)
    if not shared:
        raise StrokeError("none of the run's patients is in this cohort; name the one it was trained on (--data).")
    for name in shared:
        before = run["files"][name]
        for role, path in known[name].images.items():
            if role in before and path.stat().st_size != before[role][0]:
                raise StrokeError(
                    f"{path}: is not the image that the run was trained on; restore it, or, for other patients, give "
                    "the run's model instead (--model RUN/bundle)."
                )
