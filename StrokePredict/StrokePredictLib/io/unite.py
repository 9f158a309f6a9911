"""A case's images onto its one reference grid: by registration where they were acquired apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..case import ROLES, SERIES_ROLES, StrokeCase
from ..errors import StrokeError
from ..preprocess.registration import Registration, apply_rigid, register_rigid
from ..preprocess.resample import to_grid
from ..volume import Volume

#: These come from one acquisition: another grid means that a file is wrong, not that it lies elsewhere.
_ONE_ACQUISITION = ("b0", "dwi", "adc", "brain")
#: Maps of a perfusion series; they move with the series, whose baseline shows anatomy and they do not.
_MAPS = ("cbf", "cbv", "mtt", "tmax", "ttp")


def unite_grids(case: StrokeCase, series: Mapping[str, Callable[[], Volume]], *, register: bool) -> None:
    """Bring every 3D image of a case onto its reference grid, in place.

    What was done is told in ``case.sources``, and in ``case.doubts`` where it was not a registration that held.

    Parameters
    ----------
    case : StrokeCase
        As read.
    series : mapping of role to callable
        Reads the patient's series, which the case itself may do without.
    register : bool
        Whether to register what lies on another grid.

    Raises
    ------
    StrokeError
        If two images do not show the same place, or images of one acquisition lie on two grids.
    """
    reference = case.reference
    motions: dict[str, Registration | None] = {}
    for role, volume in list(case.volumes.items()):
        if role in SERIES_ROLES:
            continue
        if role in _ONE_ACQUISITION and ("dwi" in case.volumes or role != "brain"):
            reference.require_same_grid(volume)
        if volume.same_grid(reference):
            case.volumes[role] = to_grid(volume, reference, is_mask=role == "brain")
            continue
        motion = _motion(case, role, series, motions) if register else None
        case.volumes[role] = _placed(case, role, volume, motion)


def _placed(case: StrokeCase, role: str, volume: Volume, motion: Registration | None) -> Volume:
    """Return an image on the reference grid, and say how it came there."""
    if role == "tmax":
        everywhere = volume.with_array(np.ones(volume.shape, dtype=bool))
        case.measured["perfusion"] = (
            apply_rigid(everywhere, case.reference, motion.matrix, is_mask=True)
            if motion is not None and not motion.failure
            else to_grid(everywhere, case.reference, is_mask=True)
        )
    if motion is not None and not motion.failure:
        case.sources[role] += f"; {motion.describe()}"
        return apply_rigid(volume, case.reference, motion.matrix, is_mask=role == "brain")
    why = f"; {motion.describe()}" if motion is not None else ", without registration"
    case.doubts.append(
        f"{ROLES[role][0]} was on another grid ({volume.describe_grid()}) and was placed by its header's position{why}."
    )
    return to_grid(volume, case.reference, is_mask=role == "brain")


def _motion(
    case: StrokeCase,
    role: str,
    series: Mapping[str, Callable[[], Volume]],
    motions: dict[str, Registration | None],
) -> Registration | None:
    """Return the registration for an image; None where nothing anatomical can be compared."""
    fixed = next((case.volumes[name] for name in ("b0", "dwi", "ncct") if name in case.volumes), None)
    if fixed is None or not fixed.same_grid(case.reference):
        return None
    if role in _MAPS:
        name = next((name for name in SERIES_ROLES if name in series), None)
        if name is None:
            return None
        if name not in motions:
            baseline = case.volumes.get(name) or series[name]()
            fits = _first_frame(baseline).same_grid(case.volumes[role])
            motions[name] = register_rigid(fixed, baseline) if fits else None
        return motions[name]
    if role in ("flair", "ncct"):
        try:
            return register_rigid(fixed, case.volumes[role])
        except StrokeError:  # too few sections: placed by its header, with the doubt said
            return None
    return None


def _first_frame(series: Volume) -> Volume:
    return series.with_array(np.asarray(series.array[0]))
