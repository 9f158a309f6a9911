"""One probability for a patient, from two sections of a perfusion series; there is no overlay."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..case import StrokeCase
from ..errors import StrokeError
from ..models.bundle import Bundle
from ..models.card import Card
from ..perfusion.sources import find_timing
from ..preprocess.levels import propose_sections
from ..preprocess.sections import Sections
from ..progress import Progress, part, silent
from ..volume import Volume
from .devices import LARGEST_BATCH, Runner, choose_device
from .prediction import Classification, base_record
from .prepare import require_roles
from .warm import network_of

#: Time points before the bolus arrives, of those that a network sees.
BEFORE_BOLUS = 2


def classify(
    case: StrokeCase,
    bundle: Bundle,
    *,
    levels: Sequence[int] | None = None,
    times: np.ndarray | None = None,
    device: str = "auto",
    progress: Progress = silent,
) -> Classification:
    """Run a classifier on a case's series.

    Parameters
    ----------
    case : StrokeCase
        With the model's series and a brain mask.
    bundle : Bundle
        Of a model whose output is a probability a patient.
    levels : sequence of int, optional
        Sections, counted from the foot end of the brain mask's grid from 0, lowest first: what a reader chose. Proposed
        through MNI space if left out.
    times : numpy.ndarray, optional
        Seconds of every frame; from the series' file, sidecar or header if left out.
    device : str
        See `StrokePredictLib.inference.predict.predict`.

    Raises
    ------
    StrokeError
        If something is missing, or the sections lie outside the image.
    """
    card = bundle.card
    if card.output != "probability":
        raise StrokeError(f"model '{card.name}' gives a map and no single probability.")
    require_roles(card, case)
    (brain,) = case.require("brain")
    series = case.volumes[card.channels[0].role]
    if times is None:
        times = find_timing(series, Path(series.name)).times
    sections = Sections.around(brain, card.spacing_mm, card.matrix)
    proposed = levels is None
    chosen = list(propose_sections(brain, sections, card.sections) if proposed else levels)
    inputs = prepare_series(series, card, sections, chosen, times, brain)
    runner = Runner(choose_device(device))
    found = []
    for member in range(len(card.weights)):
        share = part(progress, member / len(card.weights), (member + 1) / len(card.weights))
        found.append(_probability(network_of(bundle, member), inputs, runner, share, card))
    record = base_record(bundle, [card.channels[0].role], runner.record())
    record |= {
        "probability": round(float(np.mean(found)), 4),
        "passes": len(found),
        "sections": [int(level) for level in chosen],
        "sections_by": "proposed through MNI space" if proposed else "the reader",
    }
    if len(found) > 1:
        record["probability_sd"] = round(float(np.std(found)), 4)
    return Classification(card, float(np.mean(found)), record)


def prepare_series(
    series: Volume,
    card: Card,
    sections: Sections,
    chosen: Sequence[int],
    times: np.ndarray,
    brain: Volume | None = None,
) -> np.ndarray:
    """Return a classifier's input, float32 ``(section, time, y, x)`` of zero mean and unit variance.

    Time points lie ``interval_s`` apart from the first frame on; after the last frame its values stay. The paper
    normalises a batch of patients; here it is each patient alone, so that the company cannot change an answer.

    Raises
    ------
    StrokeError
        If a section lies outside the image, or the series does not change at all.
    """
    inputs = sample_series(series, card, sections, chosen, times, brain)
    deviation = float(inputs.std(dtype=np.float64))
    if deviation == 0:
        raise StrokeError(f"{series.name}: is the same everywhere and always; check the series.")
    return ((inputs - inputs.mean(dtype=np.float64)) / deviation).astype(np.float32)


def sample_series(
    series: Volume,
    card: Card,
    sections: Sections,
    chosen: Sequence[int],
    times: np.ndarray,
    brain: Volume | None = None,
) -> np.ndarray:
    """Return what `prepare_series` normalises, float32 ``(section, time, y, x)`` in the series' own unit.

    Of a model that looks at the enhancement alone, each voxel's mean before the bolus is taken away, and what lies
    outside the brain mask, which is needed then, is 0.

    Raises
    ------
    StrokeError
        If a section lies outside the image.
    """
    height = sections.grid.GetSize()[2]
    if len(chosen) != card.sections or any(not 0 <= level < height for level in chosen):
        raise StrokeError(
            f"sections {', '.join(map(str, chosen))}: model '{card.name}' needs {card.sections} from 0 to {height - 1}."
        )
    if len(times) != len(series.array):
        raise StrokeError(f"{series.name}: {len(series.array)} frames but {len(times)} times; check the times.")
    frames = np.stack([sections.bring(series.with_array(frame))[list(chosen)] for frame in series.array])
    wanted = np.clip(times[0] + card.interval_s * np.arange(card.times), times[0], times[-1])
    after = np.clip(np.searchsorted(times, wanted, side="right"), 1, len(times) - 1)
    weight = (wanted - times[after - 1]) / (times[after] - times[after - 1])
    weight = weight.astype(np.float32)[:, None, None, None]
    sampled = (frames[after - 1] * (1 - weight) + frames[after] * weight).swapaxes(0, 1)
    if card.channels[0].normalisation != "enhancement":
        return sampled
    if brain is None:
        raise StrokeError(f"model '{card.name}' looks at the brain alone, and there is no brain mask.")
    inside = sections.bring(brain, is_mask=True)[list(chosen), None] > 0.5
    return np.where(inside, sampled - sampled[:, :BEFORE_BOLUS].mean(axis=1, keepdims=True), np.float32(0.0))


def _probability(network, inputs: np.ndarray, runner: Runner, progress: Progress, card: Card) -> float:
    """Return one network's answer; frames go through the image features in batches, as memory allows."""
    import torch

    frames = torch.from_numpy(inputs).flatten(0, 1)
    features = runner.run(
        network, (frames,), lambda f: progress(f, f"{card.title}: frames"),
        call=network.look, size=lambda: LARGEST_BATCH[runner.device.type],
    )  # fmt: skip
    features = features.unflatten(0, inputs.shape[:2])[None]
    probability = float(runner.run(network, (features,), lambda f: None, call=network.decide).sigmoid()[0, 0])
    if not np.isfinite(probability):
        raise StrokeError(f"model '{card.name}' gave no number; its weights are damaged or untrained.")
    return probability
