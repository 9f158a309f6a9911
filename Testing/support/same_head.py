"""The head whose MR images a simulated patient has, on CT or in a perfusion series, on any grid."""

import numpy as np
from support.heads import MovedGrid

from StrokePredictLib.phantom.anatomy import build_anatomy, draw_pose
from StrokePredictLib.phantom.ct import CTImager
from StrokePredictLib.phantom.mr import Imager
from StrokePredictLib.phantom.protocols import scanner
from StrokePredictLib.phantom.tissue import draw_person
from StrokePredictLib.phantom.vessels import build_vessels

#: Plain CT, and the slab that a perfusion series covers.
PLAIN = {"shape": (32, 256, 256), "spacing": (0.9, 0.9, 5.0)}
SLAB = {"shape": (16, 200, 200), "spacing": (1.1, 1.1, 5.0)}


def pwi_of_patient(patient, matrix, where):
    """Return a perfusion series' baseline of a simulated patient's head after a motion, as 24 h later."""
    grid, anatomy, vessels = _head(patient, matrix, where)
    imager = Imager(patient.seed, anatomy, vessels, scanner("MR", "A"))
    rng = np.random.default_rng(patient.seed)
    return grid.volume(imager.receiver(rng, imager.before_bolus(), imager.scanner.grey_level / 60), "24 h perfusion")


def ct_of_patient(patient, matrix, where=PLAIN, noise=3.5):
    """Return the CT in HU of a simulated patient's head after a motion, on a grid that moved with it."""
    grid, anatomy, vessels = _head(patient, matrix, where)
    hu = CTImager(patient.seed, anatomy, vessels, scanner("CT", "A")).still_hu()
    hu = hu + np.random.default_rng(patient.seed).normal(0, noise, hu.shape)
    return grid.volume(hu.astype(np.float32), "simulated CT")


def _head(patient, matrix, where):
    person = draw_person(patient.seed)
    course = person.course
    assert course.age == patient.facts["age"]
    grid = MovedGrid(**where, moved=tuple(matrix.ravel()))
    anatomy = build_anatomy(patient.seed, grid, draw_pose(patient.seed, female=course.sex == "F"), course.age)
    return grid, anatomy, build_vessels(anatomy, person.occlusion)
