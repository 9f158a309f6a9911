"""Smooth random fields in space, and where randomness comes from."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

#: One stream of random numbers for each part of a patient, so that leaving one part out changes no other. A part's
#: place in the list is its number: add at the end.
STREAMS = ("facts", "pose", "anatomy", "occlusion", "pressure", "perfusion", "fate", "bolus", "bias", "diffusion")
STREAMS += ("series", "follow-up", "artefacts", "skull", "plain CT", "CT series", "late series", "early FLAIR")
STREAMS += ("lesions", "readers", "late", "oedema", "emboli", "population")


#: Numbers among many, taken so that patient 0, who is shown first, is a typical one: of what is clinical, and the rest.
_CLINICAL = ("facts", "occlusion", "pressure", "fate", "late", "emboli", "population", "artefacts")
_CLINICAL_SALT, _SALT = 5090, 31


def stream(seed: int, part: str) -> np.random.Generator:
    """Return the generator of one part (of `STREAMS`) of the patient with this seed."""
    salt = _CLINICAL_SALT if part in _CLINICAL else _SALT
    return np.random.default_rng([int(seed), STREAMS.index(part), salt])


def smooth_field(rng: np.random.Generator, points: np.ndarray, correlation_mm: float) -> np.ndarray:
    """Return a smooth random field of mean 0 and SD near 1 at the given points.

    White noise on a lattice as coarse as the correlation length, interpolated by cubic splines.

    Parameters
    ----------
    rng : numpy.random.Generator
        The draw covers the whole head, so that it does not depend on which points are asked for.
    points : numpy.ndarray
        ``(n, 3)``, mm in MNI or patient space, within about 140 mm of the origin.
    correlation_mm : float
        Distance over which the field changes its sign.

    Returns
    -------
    numpy.ndarray
        ``(n,)`` float32.
    """
    reach = 160.0
    size = int(np.ceil(2 * reach / correlation_mm)) + 4
    lattice = rng.standard_normal((size, size, size))
    place = ((points + reach) / correlation_mm + 1.5).T.astype(np.float32)
    values = ndimage.map_coordinates(lattice.astype(np.float32), place, order=3, mode="nearest", prefilter=False)
    # The cubic B-spline kernel of unit noise has this SD on average over a cell.
    return (values / 0.3319).astype(np.float32)


def rising(value: np.ndarray, width: float) -> np.ndarray:
    """Return a soft step from 0 to 1 where ``value`` passes 0; ``width`` is its 12-to-88 % half-width."""
    return (0.5 * (1.0 + np.tanh(value / width))).astype(np.float32)
