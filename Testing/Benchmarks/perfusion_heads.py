"""Small simulated heads with named vessels, to ask where an automatic arterial input was taken from.

Every head has arteries of known delay and partial volume on both sides, a sinus and veins, and on one side a lesion
whose branches fill late. Size, place, orientation, bolus, sampling and noise are drawn from the case's seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from Benchmarks import perfusion_reference as reference

from StrokePredictLib.perfusion.inputs import find_arterial, find_venous, scale_to_venous
from StrokePredictLib.perfusion.prepare import Preparation, prepare
from StrokePredictLib.perfusion.timing import make_axis
from StrokePredictLib.volume import Volume

TISSUE, ARTERY, LATE, VEIN = 1, 2, 3, 4
SHAPE = (8, 44, 38)
SPACING = (4.0, 4.0, 6.0)


@dataclass
class Head:
    """One case.

    Attributes
    ----------
    series : Volume
        What the scanner gives.
    times : numpy.ndarray
        s.
    label : numpy.ndarray
        ``(z, y, x)``: 0 outside, `TISSUE`, `ARTERY` (delay up to 1 s), `LATE` (lesion side, more than 1 s), `VEIN`.
    aif : numpy.ndarray
        True arterial concentration at ``times``, in the series' unit (−ln(S/S0), ΔHU).
    modality : str
    lesion_side : str
        "L" or "R" of the patient.
    """

    series: Volume
    times: np.ndarray
    label: np.ndarray
    aif: np.ndarray
    modality: str
    lesion_side: str


class _Builder:
    """Collects which curve, in what share, every voxel holds."""

    def __init__(self, rng: np.random.Generator, modality: str) -> None:
        self.rng, self.modality = rng, modality
        self.t = reference.fine_times()
        self.arrival = rng.uniform(9.0, 15.0)
        self.scale = rng.uniform(1.1, 1.8)
        self.aif = reference.arterial(self.t, self.arrival, 3.0, self.scale)
        nz, ny, nx = SHAPE
        z, y, x = np.meshgrid(np.arange(nz), np.arange(ny), np.arange(nx), indexing="ij")
        shift = rng.uniform(-5.0, 5.0, 2)
        # Patient's millimetres about the head's centre: x to the left, y to the back.
        self.x = (x - (nx - 1) / 2) * SPACING[0] - shift[0]
        self.y = (y - (ny - 1) / 2) * SPACING[1] - shift[1]
        self.z = z
        self.size = (rng.uniform(60.0, 66.0), rng.uniform(74.0, 80.0))
        self.radius = np.hypot(self.x / self.size[0], self.y / self.size[1])
        self.label = np.where(self.radius < 1.0, TISSUE, 0)
        self.vessel: list[tuple[np.ndarray, float, np.ndarray]] = []

    def delayed(self, delay: float, dispersion: float = 0.0) -> np.ndarray:
        curve = np.interp(self.t - delay, self.t, self.aif, left=0.0)
        if dispersion <= 0:
            return curve
        kernel = np.exp(-self.t / dispersion)
        return np.convolve(curve, kernel / kernel.sum())[: self.t.size]

    def add(
        self, x: float, y: float, slices, half: int, share: tuple[float, float], curve: np.ndarray, label: int
    ) -> None:
        """Put a vessel of (half·2 + 1)² voxels through slices, each voxel with its own share of blood."""
        column = round(float((x - self.x[0, 0, 0]) / SPACING[0]))
        row = round(float((y - self.y[0, 0, 0]) / SPACING[1]))
        for z in slices:
            for dy in range(-(half // 2), half - half // 2):
                for dx in range(-(half // 2), half - half // 2):
                    at = (int(z), row + dy, column + dx)
                    if self.label[at] in (0, VEIN):
                        continue
                    where = np.zeros(SHAPE, dtype=bool)
                    where[at] = True
                    self.vessel.append((where, self.rng.uniform(*share), curve))
                    self.label[at] = label


def _place_vessels(b: _Builder, side: int) -> None:
    """Put arteries and veins; ``side`` +1 is the patient's left, where the lesion is."""
    rng = b.rng
    pure = (0.9, 1.0) if b.modality == "MR" else (0.55, 1.0)
    vein_delay, vein_width = rng.uniform(4.0, 7.0), rng.uniform(2.5, 4.0)
    venous = b.delayed(vein_delay, vein_width)
    late = rng.uniform(1.3, 5.0)
    b.add(0, b.size[1] - 7.0, range(8), int(rng.integers(2, 4)), (0.95, 1.0), venous, VEIN)  # superior sagittal sinus
    b.add(0, 45.0, range(2, 5), 1, (0.7, 1.0), venous, VEIN)  # straight sinus
    for s in (-1, 1):
        b.add(s * rng.uniform(30, 45), b.size[1] * 0.62, [0], 2, (0.6, 1.0), venous, VEIN)  # transverse sinus
        b.add(
            s * rng.uniform(44, 50),
            rng.uniform(-10, 20),
            range(5, 8),
            1,
            (0.3, 0.8),
            b.delayed(vein_delay - 1.5, 2.0),
            VEIN,
        )
    b.add(rng.uniform(-2, 2), rng.uniform(8, 16), [3, 4], 1, (0.4, 0.8), venous, VEIN)  # internal cerebral veins
    b.add(
        rng.uniform(-3, 3), -rng.uniform(40, 55), range(1, 6), 1, (0.4, 1.0), b.delayed(rng.uniform(0.2, 0.8)), ARTERY
    )
    b.add(0, rng.uniform(-2, 6), [0], 1, (0.5, 1.0), b.delayed(rng.uniform(0.2, 0.9)), ARTERY)  # basilar
    free = -side
    for x in (18, 22, 26, 30):  # first segment of the middle cerebral artery, free side
        b.add(free * x, -rng.uniform(12, 20), [1, 2], 1, pure, b.delayed(0.0), ARTERY)
    b.add(
        free * rng.uniform(38, 46),
        -rng.uniform(5, 25),
        range(2, 6),
        1,
        (0.5, 1.0),
        b.delayed(rng.uniform(0.3, 0.8)),
        ARTERY,
    )
    b.add(side * 18, -16, [1], 1, (0.5, 0.9), b.delayed(0.2), ARTERY)  # stump before the occlusion
    for _ in range(int(rng.integers(2, 5))):
        x, y = side * rng.uniform(28, 46), -rng.uniform(0, 30)
        b.add(x, y, range(2, 5), 1, (0.5, 1.0), b.delayed(late, rng.uniform(0.0, 1.5)), LATE)


def _tissue(b: _Builder, side: int) -> np.ndarray:
    """Return ``(t, z, y, x)`` concentration of the tissue alone, artery of height 1."""
    rng = b.rng
    lesion = (side * b.x > 18) & (b.y > -35) & (b.y < rng.uniform(15, 40)) & (b.z >= 1)
    grey = (b.radius > 0.75) | ((np.abs(b.x) > 12) & (np.abs(b.x) < 26) & (np.abs(b.y) < 18))
    fluid = (np.abs(b.x) < 9) & (np.abs(b.y) < 22) & (np.abs(b.x) > 3)
    late, weak = rng.uniform(3.0, 8.0), rng.uniform(0.25, 0.6)
    kinds = {
        "grey": (4.0, 4.0, 1.0),
        "white": (2.0, 5.5, 1.7),
        "fluid": (0.3, 5.0, 1.5),
        "grey lesion": (4.0 * weak**0.5, 4.0 * weak**-0.5, late),
        "white lesion": (2.0 * weak**0.5, 5.5 * weak**-0.5, late + 0.7),
    }
    values = np.array(list(kinds.values()))
    made = reference.make("exponential", values[:, 0], values[:, 1], values[:, 2], b.aif)
    which = np.where(fluid, 2, np.where(grey, 0, 1) + 3 * lesion)
    vary = rng.normal(1.0, 0.12, SHAPE).clip(0.6, 1.4)
    return made.curves[:, which.ravel()].reshape(-1, *SHAPE) * vary * (b.label > 0)


def make_head(seed: int, modality: str) -> Head:
    """Return one case."""
    rng = np.random.default_rng([seed, modality == "CT"])
    side = int(rng.choice([-1, 1]))
    dt, frames = float(rng.choice(reference.INTERVALS)), 0
    b = _Builder(rng, modality)
    _place_vessels(b, side)
    tissue = _tissue(b, side)
    frames = int(min(60, reference.SCAN // dt))
    pick = np.round(np.arange(frames) * dt / reference.FINE).astype(int)
    tissue, aif = tissue[pick], b.aif[pick]
    head = _mr(b, tissue, pick) if modality == "MR" else _ct(b, tissue, pick)
    array, height = head
    affine = np.diag([*SPACING, 1.0])
    affine[:3, 3] = rng.uniform(-120, 120, 3)
    for axis in (0, 1):  # files run either way along x and y
        if rng.random() < 0.5:
            array, b.label = np.flip(array, 3 - axis), np.flip(b.label, 2 - axis)
            affine[axis, axis] *= -1
    series = Volume(np.ascontiguousarray(array, dtype=np.float32), affine, name=f"case {seed}")
    return Head(
        series, np.arange(frames) * dt, np.ascontiguousarray(b.label), aif * height, modality, "L" if side > 0 else "R"
    )


def _mr(b: _Builder, tissue: np.ndarray, pick: np.ndarray) -> tuple[np.ndarray, float]:
    """Return magnitude signal at SNR 100; the artery takes 1.0 to 1.8 of −ln(S/S0), as arteries do at 1.5 and 3 T."""
    height = b.rng.uniform(1.0, 1.8)
    gain = reference.GREY_DROP / reference.grey_peak()
    base = 1000.0 * (b.label > 0) * b.rng.normal(1.0, 0.05, SHAPE)
    signal = base * np.exp(-gain * tissue)
    for where, share, curve in b.vessel:
        at = tuple(np.argwhere(where)[0])
        signal[(slice(None), *at)] = (
            base[at] * share * np.exp(-height * curve[pick]) + (1 - share) * signal[(slice(None), *at)]
        )
    sigma = 10.0
    real, other = b.rng.normal(0, sigma, signal.shape), b.rng.normal(0, sigma, signal.shape)
    return np.hypot(signal + real, other), height


def _ct(b: _Builder, tissue: np.ndarray, pick: np.ndarray) -> tuple[np.ndarray, float]:
    """Return HU with a skull; artery of 180 to 400 HU, noise of 2 to 4 HU."""
    height = b.rng.uniform(180.0, 400.0)
    base = np.where(b.label > 0, 34.0, np.where(b.radius < 1.12, 900.0, -1000.0)) + b.rng.normal(0, 1.0, SHAPE)
    change = height * tissue
    for where, share, curve in b.vessel:
        at = tuple(np.argwhere(where)[0])
        change[(slice(None), *at)] = share * height * curve[pick] + (1 - share) * change[(slice(None), *at)]
    return base + change + b.rng.normal(0, b.rng.uniform(2.0, 4.0), change.shape), height


def judge_seed(seed: int, modality: str) -> dict:
    """Find arterial input and venous output in one head, as the pipeline does, and judge them."""
    head = make_head(seed, modality)
    axis = make_axis(head.times, len(head.times), SHAPE[0])
    sharp = prepare(head.series, axis, Preparation(modality, None, False, 0.0)).sharp
    arterial = find_arterial(sharp, sharp.curves.mean(axis=1, dtype=np.float64))
    if modality == "CT":
        scale_to_venous(arterial, find_venous(sharp, arterial))
    label = head.label.ravel()[sharp.index[arterial.rows]]
    return {
        "vein": bool(np.any(label == VEIN)),
        "late": bool(np.any(label == LATE)),
        "height": float(arterial.curve.max() / head.aif.max() - 1.0),
        "side_found": arterial.notes["affected_side"] == head.lesion_side,
    }
