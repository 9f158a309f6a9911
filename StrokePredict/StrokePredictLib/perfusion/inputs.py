"""The arterial input and the venous output, found in the images."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..errors import StrokeError
from ..volume import Volume
from .features import Features, describe

#: Candidates handed to the reader.
SHOWN = 12
#: Voxels that far (mm) from the best one may be averaged into the arterial input: the same vessel, slices apart too.
NEAR = 11.0
#: How far from the midline (mm) the superior sagittal sinus is looked for.
SINUS_REACH = 12.0
#: Largest partial-volume factor believed.
MOST_SCALING = 4.0


@dataclass
class Tissue:
    """Concentration curves of the brain with their places.

    Attributes
    ----------
    curves : numpy.ndarray
        ``(N, V)`` on the even grid.
    index : numpy.ndarray
        ``(V,)`` flat index into the ``(z, y, x)`` grid, rising.
    grid : Volume
        Any volume of the grid.
    dt : float
        s.
    """

    curves: np.ndarray
    index: np.ndarray
    grid: Volume
    dt: float

    def voxel(self, rows: np.ndarray) -> np.ndarray:
        """Return ``(n, 3)`` voxel indices (x, y, z) of curves."""
        z, y, x = np.unravel_index(self.index[rows], self.grid.shape)
        return np.stack([x, y, z], axis=-1)

    def place(self, rows: np.ndarray) -> np.ndarray:
        """Return ``(n, 3)`` LPS mm of curves."""
        return self.voxel(rows) @ self.grid.affine[:3, :3].T + self.grid.affine[:3, 3]


@dataclass
class Choice:
    """One input function with where it came from.

    Attributes
    ----------
    curve : numpy.ndarray
        ``(N,)`` concentration on the even grid.
    source : str
        How it was chosen.
    voxel, place : list
        Index (x, y, z) and LPS mm of its leading voxel; None for a curve from a file.
    rows : numpy.ndarray
        Curves averaged into it.
    candidates : list of dict
        Ranked, best first, with their scores: what a panel shows and swaps.
    """

    curve: np.ndarray
    source: str
    voxel: list[int] | None = None
    place: list[float] | None = None
    rows: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=int))
    candidates: list[dict] = field(default_factory=list)
    notes: dict = field(default_factory=dict)


def find_arterial(tissue: Tissue, mean_curve: np.ndarray) -> Choice:
    """Choose the arterial input: early, high, narrow, smooth, clustered, and on the unaffected side if one is.

    Parameters
    ----------
    tissue : Tissue
        The brain's curves.
    mean_curve : numpy.ndarray
        ``(N,)`` mean over the brain.

    Raises
    ------
    StrokeError
        If no voxel looks like an artery.
    """
    brain = describe(mean_curve[None], tissue.dt)
    rows = _tall(tissue, share=0.02, least=300)
    shape = describe(np.ascontiguousarray(tissue.curves[:, rows].T), tissue.dt)
    place = tissue.place(rows)
    frame = _head_frame(tissue)
    affected = affected_side(tissue, frame[0])
    arterial = _plausible(shape, brain, place, frame, tissue.dt)
    if not arterial.any():
        raise StrokeError(
            f"{tissue.grid.name}: no artery found by itself (no high, early and narrow curve); "
            "choose the arterial input by hand (a voxel, a region or a CSV curve)."
        )
    rows, place = rows[arterial], place[arterial]
    shape = Features(*(getattr(shape, name)[arterial] for name in Features.__dataclass_fields__))
    terms = _scores(tissue, rows, shape)
    score = np.prod([t**w for t, w in terms.values()], axis=0)
    side = np.where(place[:, 0] > frame[0], "L", "R")
    order = np.argsort(-score, kind="stable")
    if affected is not None:
        free = order[side[order] != affected]
        # The other side's arteries fill late: it is used only where this one shows nothing comparable.
        if free.size and score[free[0]] > 0.3 * score[order[0]]:
            order = np.concatenate([free, order[side[order] == affected]])
    return _take(tissue, rows, shape, score, terms, order, side, affected)


def find_venous(tissue: Tissue, arterial: Choice) -> Choice | None:
    """Choose the venous output in the posterior sinus: the largest area near the midline at the back, after the artery.

    Returns None where the brain shows no such voxel, as on a slab without the sinus.
    """
    frame = _head_frame(tissue)
    rows = _tall(tissue, share=0.02, least=300)
    place = tissue.place(rows)
    back = (place[:, 1] > frame[1] + 0.25 * frame[2]) & (np.abs(place[:, 0] - frame[0]) < SINUS_REACH)
    shape = describe(np.ascontiguousarray(tissue.curves[:, rows].T), tissue.dt)
    artery = describe(arterial.curve[None], tissue.dt)
    later = shape.peak > artery.peak + 0.5
    good = np.flatnonzero(back & later & (shape.area > 0))
    if good.size == 0:
        return None
    order = good[np.argsort(-shape.area[good], kind="stable")]
    chosen = order[: max(1, min(4, good.size // 4))]
    lead = rows[order[0]]
    return Choice(
        curve=tissue.curves[:, rows[chosen]].mean(axis=1).astype(np.float64),
        source="automatic: posterior sinus, near the midline",
        voxel=tissue.voxel(np.array([lead]))[0].tolist(),
        place=np.round(tissue.place(np.array([lead]))[0], 3).tolist(),
        rows=rows[chosen],
    )


def scale_to_venous(arterial: Choice, venous: Choice | None) -> None:
    """Scale the arterial curve to the area of the venous one, in place: a small artery shares its voxel with tissue.

    All blood leaves through the veins, so the areas are equal; a factor outside 1 to `MOST_SCALING` is not believed.
    """
    factor = _area_ratio(arterial.curve, venous.curve) if venous is not None else 1.0
    used = factor if 1.0 <= factor <= MOST_SCALING else 1.0
    arterial.curve = arterial.curve * used
    arterial.notes["venous_scaling"] = {"factor": round(used, 4), "area_ratio": round(factor, 4)}


def _area_ratio(artery: np.ndarray, vein: np.ndarray) -> float:
    """Return venous over arterial area, each up to where the venous passage has faded.

    What follows is mostly the error of the baseline, added up over many frames.
    """
    top, lag = int(vein.argmax()), int(vein.argmax()) - int(artery.argmax())
    faded = np.flatnonzero(vein[top:] < 0.2 * vein[top])
    end = top + int(faded[0]) + 1 if faded.size else len(vein)
    area = float(artery[: max(end - lag, 1)].sum())
    return float(vein[:end].sum()) / area if area > 0 else 1.0


def affected_side(tissue: Tissue, middle: float) -> str | None:
    """Return the side ("L" or "R") whose tissue fills later, or None where both fill alike."""
    step = max(1, tissue.curves.shape[1] // 30000)
    rows = np.arange(0, tissue.curves.shape[1], step)
    curves = np.maximum(tissue.curves[:, rows], 0.0)
    weight = curves.sum(axis=0)
    usable = (weight > 0) & (weight < np.percentile(weight, 92))  # without the vessels
    x = tissue.place(rows)[:, 0]
    usable &= np.abs(x - middle) > 10.0
    shape = describe(np.ascontiguousarray(curves[:, usable].T), tissue.dt)
    left = x[usable] > middle
    if left.sum() < 20 or (~left).sum() < 20:
        return None
    gap = shape.peak[left].mean() - shape.peak[~left].mean()
    error = np.sqrt(shape.peak[left].var() / left.sum() + shape.peak[~left].var() / (~left).sum())
    if abs(gap) < max(0.25, 4.0 * error):
        return None
    return "L" if gap > 0 else "R"


def _tall(tissue: Tissue, share: float, least: int) -> np.ndarray:
    """Return the curves with the highest maxima."""
    height = tissue.curves.max(axis=0)
    count = min(len(height), max(least, int(share * len(height))))
    return np.sort(np.argpartition(-height, count - 1)[:count])


def _head_frame(tissue: Tissue) -> tuple[float, float, float]:
    """Return midline x, centre y and half depth along y of the brain, LPS mm."""
    step = max(1, len(tissue.index) // 50000)
    place = tissue.place(np.arange(0, len(tissue.index), step))
    low, high = np.percentile(place[:, 1], [1, 99])
    return float(place[:, 0].mean()), float((low + high) / 2), float((high - low) / 2)


def _plausible(shape: Features, brain: Features, place: np.ndarray, frame: tuple, dt: float) -> np.ndarray:
    """Return which curves can be an artery: not in the sinus, before the tissue, narrower than the tissue's."""
    sinus = (place[:, 1] > frame[1] + 0.5 * frame[2]) & (np.abs(place[:, 0] - frame[0]) < SINUS_REACH + 3.0)
    early = (shape.peak < brain.peak[0] + 0.25 * dt) & (shape.arrival < brain.arrival[0] + 0.5 * dt + 0.5)
    narrow = (shape.width < 1.1 * brain.width[0] + 0.5 * dt) & (shape.width > 0.5 * dt)
    return early & narrow & ~sinus & (shape.height > 0)


def _scores(tissue: Tissue, rows: np.ndarray, shape: Features) -> dict[str, tuple[np.ndarray, float]]:
    """Return each criterion's score (0 to 1) and its weight as an exponent."""
    top = np.sort(shape.height)[-min(3, len(rows))]  # one spike of noise does not set the scale
    first = np.percentile(shape.arrival, 5)
    thin = np.percentile(shape.width, 10)
    return {
        "height": (np.clip(shape.height / top, 0.0, 1.0), 2.0),
        "arrival": (np.exp(-np.maximum(shape.arrival - first, 0.0) / 1.5), 1.0),
        "width": (np.clip(thin / np.maximum(shape.width, 1e-6), 0.0, 1.0), 1.0),
        "roughness": (np.exp(-shape.roughness / 0.15), 1.0),
        "cluster": (0.25 + 0.75 * _neighbours(tissue, rows, shape), 1.0),
    }


def _neighbours(tissue: Tissue, rows: np.ndarray, shape: Features) -> np.ndarray:
    """Return how far (0 to 1) each candidate has candidates of like arrival beside it."""
    nz, ny, nx = tissue.grid.shape
    arrival = np.full(nz * ny * nx, np.nan, dtype=np.float32)
    arrival[tissue.index[rows]] = shape.arrival
    x, y, z = tissue.voxel(rows).T
    count = np.zeros(len(rows))
    for dz, dy, dx in [(dz, dy, dx) for dz in (-1, 0, 1) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dz or dy or dx]:
        inside = (z + dz >= 0) & (z + dz < nz) & (y + dy >= 0) & (y + dy < ny) & (x + dx >= 0) & (x + dx < nx)
        flat = ((z + dz) * ny + (y + dy)) * nx + x + dx
        beside = arrival[np.where(inside, flat, 0)]
        count += inside & (np.abs(beside - shape.arrival) < 1.0)
    return np.minimum(count, 3.0) / 3.0


def _take(tissue, rows, shape, score, terms, order, side, affected) -> Choice:
    """Average the best candidate with its like neighbours, and list the rest."""
    best = order[0]
    place = tissue.place(rows)
    near = np.linalg.norm(place - place[best], axis=1) <= NEAR
    like = near & (np.abs(shape.arrival - shape.arrival[best]) < 0.75) & (score > 0.5 * score[best])
    # The purest of them: averaging in voxels shared with tissue would lower the peak.
    members = np.flatnonzero(like & (shape.height > 0.97 * shape.height[like].max()))
    members = members[np.argsort(-shape.height[members], kind="stable")][:6]
    listed = []
    for i in order[:SHOWN]:
        row = {"voxel": tissue.voxel(rows[[i]])[0].tolist(), "place_lps_mm": np.round(place[i], 3).tolist()}
        row |= {"score": round(float(score[i]), 5), "side": str(side[i])}
        row |= {name: round(float(term[i]), 5) for name, (term, _) in terms.items()}
        row |= {"peak_s": round(float(shape.peak[i]), 3), "arrival_s": round(float(shape.arrival[i]), 3)}
        row |= {"width_s": round(float(shape.width[i]), 3), "peak_height": round(float(shape.height[i]), 5)}
        listed.append(row)
    return Choice(
        curve=tissue.curves[:, rows[members]].mean(axis=1).astype(np.float64),
        source="automatic",
        voxel=listed[0]["voxel"],
        place=listed[0]["place_lps_mm"],
        rows=rows[members],
        candidates=listed,
        notes={"affected_side": affected},
    )
