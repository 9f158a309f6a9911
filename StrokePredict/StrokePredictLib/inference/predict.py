"""A model's map on a case: the mean over its networks and mirror images, on the case's own grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..case import StrokeCase
from ..errors import StrokeError
from ..models.bundle import Bundle
from ..models.card import Card
from ..networks.course import IMAGES, Course
from ..preprocess.sections import Sections
from ..progress import Progress, part, silent
from ..thresholds import volume_ml
from ..volume import Volume
from .devices import Runner, choose_device
from .passes import Spread, one_pass
from .prediction import Prediction, base_record
from .prepare import prepare, present_roles, require_roles
from .warm import network_of

#: Probability with which a volume interval covers the truth.
COVERAGE = 0.9


def predict(
    case: StrokeCase,
    bundle: Bundle,
    *,
    device: str = "auto",
    progress: Progress = silent,
    course: Course | None = None,
    mirror: bool | None = None,
) -> Prediction:
    """Run a model on a case.

    Parameters
    ----------
    case : StrokeCase
        With a brain mask and every channel of the model.
    bundle : Bundle
        Verified.
    device : {"auto", "cuda", "mps", "cpu"}
        Where to run; ``"auto"`` takes the first that is there.
    course : Course, optional
        What a conditioned model is told; if left out, unknown reperfusion and the case's own onset-to-imaging time.
    mirror : bool, optional
        Whether the mean with the mirrored image's prediction is taken; as the card says if left out.

    Raises
    ------
    StrokeError
        If a channel is missing or holds what is no number, the device asked for is not there, or memory is not enough.
    """
    card = bundle.card
    if card.output != "map":
        raise StrokeError(f"model '{card.name}' gives one probability for the patient and no map.")
    brain = require(case, card)
    runner = Runner(choose_device(device))
    sections = Sections.around(brain, card.spacing_mm, card.matrix)
    inputs = prepare(case, card, sections)
    told = course_vector(case, card, course)
    spread = _all_passes(bundle, inputs, runner, sections, told, card.mirror if mirror is None else mirror, progress)
    return finish(case, bundle, sections, spread, runner)


def require(case: StrokeCase, card: Card) -> Volume:
    """Return the case's brain mask; `StrokeError` if it, or what the model needs, is missing."""
    require_roles(card, case)
    if card.conditioned and tuple(channel.role for channel in card.channels) != IMAGES:
        raise StrokeError(f"model '{card.name}': its channels must be {', '.join(IMAGES)}, in this order.")
    return case.require("brain")[0]


def course_vector(case: StrokeCase, card: Card, course: Course | None) -> list[float] | None:
    """Return what a conditioned model is told of this case; None for other models."""
    if not card.conditioned:
        return None
    return (course or own_course(case)).vector(present_roles(card, case), case.modality)


def own_course(case: StrokeCase) -> Course:
    """Return unknown reperfusion with the case's own onset-to-imaging time, where the onset was witnessed."""
    known = case.facts.onset_known is not False
    return Course("unknown", case.facts.onset_to_imaging_min if known else None)


def finish(case: StrokeCase, bundle: Bundle, sections: Sections, spread: Spread, runner: Runner) -> Prediction:
    """Bring the mean of all passes home and write the record."""
    card, brain = bundle.card, case.volumes["brain"]
    home = sections.bring_home(spread.mean, f"probability of {card.name}")
    probability = home.with_array(np.clip(home.array, 0, 1) * brain.array)
    mask = probability.with_array(probability.array >= card.threshold, name=card.title)
    deviation = spread.deviation
    if deviation is not None:
        deviation = sections.bring_home(deviation, f"uncertainty of {card.name}")
        deviation = deviation.with_array(np.maximum(deviation.array, 0) * brain.array)
    record = base_record(bundle, present_roles(card, case), runner.record())
    record["volume_ml"] = round(volume_ml(mask), 2)
    record["passes"] = spread.passes
    if spread.passes > 1:
        record["volume_sd_ml"] = round(float(np.std(spread.volumes)), 2)
    record |= _interval(card, volume_ml(mask))
    return Prediction(card, probability, mask, record, deviation)


def renamed(prediction: Prediction, course: Course, suffix: str, segment: str, title: str) -> Prediction:
    """Return a conditioned model's answer under the name of the course of events that it was asked about."""
    name = f"{prediction.card.name}-{suffix}"
    record = prediction.record | {
        "name": name,
        "model": prediction.card.name,
        "title": title,
        "segment": segment,
        "course": {"reperfusion": course.reperfusion, "onset_to_imaging_min": course.onset_min},
    }
    return replace(prediction, name=name, record=record, mask=replace(prediction.mask, name=title))


def _all_passes(
    bundle: Bundle,
    inputs: np.ndarray,
    runner: Runner,
    sections: Sections,
    told: list[float] | None,
    mirror: bool,
    progress: Progress,
) -> Spread:
    card = bundle.card
    voxel_ml = float(np.prod(sections.grid.GetSpacing())) / 1000
    flips = (False, True) if mirror else (False,)
    total = len(card.weights) * len(flips)
    spread = Spread()
    for member in range(len(card.weights)):
        network = network_of(bundle, member)
        for flip in flips:
            share = part(progress, spread.passes / total, (spread.passes + 1) / total)
            seen = np.ascontiguousarray(inputs[..., ::-1]) if flip else inputs
            found = one_pass(network, seen, card, runner, lambda f, tell=share: tell(f, f"{card.title}: images"), told)
            found = found[..., ::-1] if flip else found
            spread.add(found, float(np.count_nonzero(found >= card.threshold)) * voxel_ml)
    return spread


def _interval(card: Card, volume: float) -> dict[str, object]:
    """Return the record's volume interval, where the card carries a calibration that allows one."""
    interval = card.calibration.interval(volume, COVERAGE) if card.calibration else None
    if interval is None:
        return {}
    low, high = (round(bound, 2) for bound in interval)
    patients = len(card.calibration.errors)
    return {"volume_interval_ml": {"low": low, "high": high, "coverage": COVERAGE, "patients": patients}}
