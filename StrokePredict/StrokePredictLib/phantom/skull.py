"""What lies around the brain on CT: skull with two tables, skull base, sinuses, face, scalp and air."""

from __future__ import annotations

import numpy as np

from .anatomy import Anatomy, _distance
from .fields import rising, smooth_field, stream

#: HU of the skull's layers and of what else a head consists of.
TABLE, DIPLOE, BASE, SKIN, FAT, MUSCLE, GLOBE, AIR = 1900.0, 560.0, 750.0, 25.0, -85.0, 50.0, 12.0, -1000.0
#: mm: half-way point from the cavity to bone, thickness of either table, of the skull in all, and of the scalp.
INNER, TABLE_MM, SKULL_MM, SCALP_MM = 0.6, 1.5, 6.5, 5.5
#: Below this MNI z (mm) the head goes on as face and neck, of the outline it has here.
FACE_Z = -14.0
#: Ellipsoids (MNI: centre, half axes in mm, HU), those with x ≠ 0 on both sides: air-filled and soft parts of the face.
_FACE = (
    ((32, 53, -43), (17, 24, 16), FAT),
    ((33, 66, -42), (12, 12, 12), GLOBE),
    ((0, 42, -42), (12, 26, 13), -550.0),
    ((0, 10, -42), (13, 12, 9), AIR),
    ((30, 48, -74), (15, 18, 16), AIR),
    ((52, -34, -42), (9, 12, 12), -450.0),
    ((0, 10, -75), (12, 30, 14), AIR),
)
#: The petrous bones: as dense as bone gets.
_PETROUS = ((30, -26, -40), (20, 9, 8), 1700.0)


def every_mni(anatomy: Anatomy) -> np.ndarray:
    """Return ``(n, 3)`` MNI mm of every voxel of the grid, without the patient's own deformation."""
    shape = anatomy.grid.shape
    index = np.stack(np.unravel_index(np.arange(int(np.prod(shape))), shape)[::-1], axis=1).astype(np.float64)
    return anatomy.pose.to_mni(anatomy.grid.points_lps(index) * np.array([-1.0, -1.0, 1.0]))


def surroundings_hu(seed: int, anatomy: Anatomy) -> np.ndarray:
    """Return ``(z, y, x)`` HU of whatever in a voxel is neither brain nor fluid.

    Parameters
    ----------
    seed : int
        The patient.
    anatomy : Anatomy
        The head.

    Returns
    -------
    numpy.ndarray
        float32. Each layer's share of a voxel is that of a flat layer seen through the voxel's width across it, so that
        the vault is blurred by thick sections where it slants.
    """
    rng = stream(seed, "skull")
    mni = every_mni(anatomy)
    near = np.flatnonzero((anatomy.skull_mm.ravel() < 45.0) | (mni[:, 2] < FACE_Z))
    place = mni[near]
    bone_mm = anatomy.skull_mm.ravel()[near] - INNER
    skin_mm = np.minimum(bone_mm, _distance("skull", np.maximum(place, [-999.0, -999.0, FACE_Z])) - INNER)
    width = _width(anatomy).ravel()[near]
    texture = smooth_field(rng, place, 9.0)
    thick = _thickness(rng, place)
    hu = np.where(skin_mm < thick + SCALP_MM, MUSCLE, AIR).astype(np.float32)
    # The vault: table, diploe, table, galea, fat, skin, each laid over what is further out.
    edge = thick + SCALP_MM * (1.0 + 0.25 * smooth_field(rng, place, 40.0))
    layers = (
        (edge, SKIN), (edge - 1.8, FAT + 25.0 * texture), (edge - 4.5, MUSCLE), (thick, TABLE),
        (thick - TABLE_MM, DIPLOE + 170.0 * texture), (np.full_like(thick, TABLE_MM), TABLE),
    )  # fmt: skip
    hu += (AIR - hu) * _beyond(skin_mm, edge, width)
    for n, (outer, value) in enumerate(layers):
        depth = skin_mm if n < 3 else bone_mm
        hu += (value - hu) * (1.0 - _beyond(depth, outer, width))
    hu = _with_face(hu, place, bone_mm, skin_mm, edge, texture)
    whole = np.full(len(mni), AIR, dtype=np.float32)
    whole[near] = hu
    return whole.reshape(anatomy.grid.shape)


def _width(anatomy: Anatomy) -> np.ndarray:
    """Return ``(z, y, x)`` the width (mm) of the voxels across the skull's surface."""
    steps = np.gradient(anatomy.skull_mm)
    return np.clip(np.sqrt(sum(step**2 for step in steps)), 1.0, 8.0)


def _thickness(rng: np.random.Generator, place: np.ndarray) -> np.ndarray:
    """Return mm of bone: thin at the temples, thick at the forehead and the occiput."""
    temple = np.exp(-(((np.abs(place[:, 0]) - 68) / 14.0) ** 2) - ((place[:, 2] + 5) / 28.0) ** 2)
    ends = np.exp(-(((np.abs(place[:, 1] + 18) - 85) / 16.0) ** 2))
    return SKULL_MM * (1.0 - 0.35 * temple + 0.20 * ends + 0.10 * smooth_field(rng, place, 40.0))


def _beyond(depth: np.ndarray, surface: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Return the share of each voxel that lies further out than a surface."""
    return np.clip((depth - surface) / width + 0.5, 0.0, 1.0).astype(np.float32)


def _with_face(
    hu: np.ndarray, place: np.ndarray, bone: np.ndarray, skin: np.ndarray, edge: np.ndarray, texture: np.ndarray
) -> np.ndarray:
    """Lay base of the skull, sinuses and orbits over the layers; below the brain these hide its shell."""
    side = place * np.array([1.0, 1.0, 1.0])
    side[:, 0] = np.abs(side[:, 0])
    base = rising(-bone, 1.0) * rising(side[:, 2] + 62.0, 3.0)  # further down the neck begins
    hu = hu + (MUSCLE - hu) * rising(-62.0 - side[:, 2], 3.0) * rising(edge - 6.0 - skin, 1.0)
    hu = hu + (BASE + 220.0 * texture - hu) * base
    within = rising(edge - 3.0 - skin, 1.0)
    for centre, axes, value in (_PETROUS, *_FACE):
        share = rising(1.0 - np.sqrt((((side - centre) / axes) ** 2).sum(axis=1)), 0.12) * within
        hu = hu + (value - hu) * share
    frontal = rising(1.0 - np.hypot(side[:, 0] / 19.0, (side[:, 2] + 18.0) / 13.0), 0.10)
    frontal *= rising(side[:, 1] - 50.0, 2.0)
    frontal *= rising(bone - 2.2, 0.5) * rising(9.0 - bone, 1.0)
    return (hu + (AIR - hu) * frontal).astype(np.float32)
