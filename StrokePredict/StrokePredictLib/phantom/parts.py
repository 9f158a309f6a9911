"""What a voxel consists of, for images: healthy and diseased tissue, and fluid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .anatomy import Anatomy


@dataclass(frozen=True)
class Parts:
    """Shares of each voxel of `Anatomy.inside`, ``(n,)``.

    Attributes
    ----------
    grey, white : numpy.ndarray
        Tissue without chronic disease.
    fluid : numpy.ndarray
        Cerebrospinal fluid.
    leuko : numpy.ndarray
        Chronic white-matter lesions.
    scar : numpy.ndarray
        Old infarcts: gliosis and cysts.
    """

    grey: np.ndarray
    white: np.ndarray
    fluid: np.ndarray
    leuko: np.ndarray
    scar: np.ndarray


def parts_of(anatomy: Anatomy) -> Parts:
    """Return the parts of one head: white-matter lesions take from white, then from grey matter; scars from both."""
    solid = anatomy.grey + anatomy.white
    scar = np.minimum(anatomy.old_infarct, solid)
    left = 1.0 - scar / np.maximum(solid, 1e-6)
    grey, white = anatomy.grey * left, anatomy.white * left
    leuko = np.minimum(anatomy.wm_lesion, grey + white)
    from_white = np.minimum(leuko, white)
    return Parts(grey - (leuko - from_white), white - from_white, anatomy.csf, leuko, scar)
