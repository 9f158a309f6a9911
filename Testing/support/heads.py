"""Simulated heads as other scanners and other days would show them: moved, on other grids, and on CT."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from StrokePredictLib.phantom.anatomy import build_anatomy, draw_pose
from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.mr import Imager, Scanner
from StrokePredictLib.volume import Volume

#: HU of grey and white matter, fluid, bone, scalp and air, and the noise of a perfusion frame's average.
CT_VALUES = {"grey": 38.0, "white": 29.0, "csf": 6.0, "bone": 900.0, "scalp": 20.0, "air": -1000.0}
SKULL_MM = 6.0


def motion(rng, shift_mm=15.0, turn_deg=10.0):
    """Return a random rigid motion about the head's middle, 4×4 in LPS mm."""
    turn = Rotation.from_euler("xyz", rng.uniform(-turn_deg, turn_deg, 3), degrees=True).as_matrix()
    shift = rng.normal(size=3)
    shift *= rng.uniform(0, shift_mm) / np.linalg.norm(shift)
    centre = np.array(Grid().centre_lps)
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = centre - turn @ centre + shift
    return matrix


@dataclass(frozen=True)
class MovedGrid(Grid):
    """A grid turned and shifted in the scanner: what images a head that has moved."""

    moved: tuple = tuple(np.eye(4).ravel())

    @property
    def affine(self):
        affine = np.array(self.moved).reshape(4, 4) @ Grid.affine.fget(self)
        return affine.astype(np.float32).astype(np.float64)


def as_if_unmoved(volume, matrix):
    """Return the image with a header that does not know of the motion: the head seems to have moved by its inverse."""
    return Volume(volume.array, np.linalg.inv(matrix) @ volume.affine, name=volume.name)


def ct_head(seed, grid, noise=4.0, lesion=None):
    """Return a CT of a simulated head, and what lies inside its skull.

    Returns
    -------
    tuple of (Volume, Volume)
        HU, and bool.
    """
    rng = np.random.default_rng(seed)
    anatomy = build_anatomy(seed, grid, draw_pose(seed, female=False), 65.0)
    v = CT_VALUES
    d = anatomy.skull_mm
    inside = np.clip(0.5 - d, 0, 1)
    tissue = anatomy.grey * v["grey"] + anatomy.white * v["white"] + (1 - anatomy.grey - anatomy.white) * v["csf"]
    hu = anatomy.on_grid(tissue.astype(np.float32)) * inside
    bone = np.clip(d + 0.5, 0, 1) * np.clip(SKULL_MM - d + 0.5, 0, 1)
    scalp = np.clip(d - SKULL_MM + 0.5, 0, 1) * np.clip(SKULL_MM + 6.0 - d + 0.5, 0, 1)
    hu = hu + bone * v["bone"] + scalp * v["scalp"] + np.clip(d - SKULL_MM - 5.5, 0, 1) * v["air"]
    if lesion is not None:
        hu = np.where(lesion(d), np.where(inside > 0.5, lesion.value, hu), hu)
    hu = hu + rng.normal(0, noise, hu.shape)
    return grid.volume(hu.astype(np.float32), "simulated CT"), grid.volume(d < 0, "inside the skull")


def perfusion_baseline(seed, grid):
    """Return the T2*-weighted image of a perfusion series before its bolus, without the cost of the series."""
    anatomy = build_anatomy(seed, grid, draw_pose(seed, female=False), 65.0)
    from StrokePredictLib.phantom.facts import draw_course
    from StrokePredictLib.phantom.occlusion import draw_occlusion
    from StrokePredictLib.phantom.vessels import build_vessels

    vessels = build_vessels(anatomy, draw_occlusion(seed, draw_course(seed).onset_to_imaging_min))
    imager = Imager(seed, anatomy, vessels, Scanner())
    noisy = imager.receiver(np.random.default_rng(seed), imager.before_bolus(), Scanner().grey_level / 30)
    return grid.volume(noisy, "perfusion baseline")
