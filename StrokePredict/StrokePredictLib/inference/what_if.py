"""The slider: one look at the images, many courses of events."""

from __future__ import annotations

import numpy as np

from ..case import StrokeCase
from ..models.bundle import Bundle
from ..networks.course import Course
from ..preprocess.sections import Sections
from ..progress import Progress, silent
from ..study import ASSOCIATION
from .devices import Runner, batch_size, choose_device
from .passes import Spread, lesion_probability, stacked, told_all, windows
from .predict import course_vector, finish, own_course, renamed, require
from .prediction import Prediction
from .prepare import prepare
from .warm import network_of

#: What a course's answer is called: by state of reperfusion, a suffix for files, a segment and a title.
NAMES = {
    "complete": ("reperfused", "infarct_predicted_reperfused", "Predicted infarct if reperfused"),
    "none": ("not-reperfused", "infarct_predicted_not_reperfused", "Predicted infarct if not reperfused"),
    "partial": ("partly-reperfused", "infarct_predicted", "Predicted infarct if partly reperfused"),
    "unknown": ("unknown", "infarct_predicted", "Predicted infarct, reperfusion unknown"),
}


class WhatIf:
    """A conditioned model on a case, whose images were looked at once.

    Parameters
    ----------
    case : StrokeCase
        With what the model needs.
    bundle : Bundle
        Of a conditioned model; its first network answers.
    device : str
        See `predict`.

    Raises
    ------
    StrokeError
        See `predict`.
    """

    def __init__(
        self, case: StrokeCase, bundle: Bundle, *, device: str = "auto", progress: Progress = silent
    ) -> None:
        card = bundle.card
        brain = require(case, card)
        self.case, self.bundle, self.onset_min = case, bundle, own_course(case).onset_min
        self.runner = Runner(choose_device(device))
        self.sections = Sections.around(brain, card.spacing_mm, card.matrix)
        self.network = network_of(bundle)
        inputs = prepare(case, card, self.sections)
        filled = np.flatnonzero(inputs.any(axis=(1, 2, 3)))
        self.size = inputs.shape[0], *inputs.shape[2:]
        self.wanted = slice(int(filled[0]), int(filled[-1]) + 1) if filled.size else slice(0, 0)
        views = windows(inputs, card.sections)[self.wanted]
        self.features = self._encode(views, progress) if len(views) else []
        self._extremes: dict[float | None, dict[str, float]] = {}

    def extremes(self) -> tuple[Course, Course]:
        """Return the courses "reopened" and "not reopened" at this patient's onset-to-imaging time."""
        return Course("complete", self.onset_min), Course("none", self.onset_min)

    def extreme_volumes(self, onset_min: float | None) -> dict[str, float]:
        """Return the predicted volumes in mL of "complete" and "none", computed once an onset-to-imaging time."""
        if onset_min not in self._extremes:
            states = ("complete", "none")
            answers = {state: self.answer(Course(state, onset_min)).record["volume_ml"] for state in states}
            self._extremes[onset_min] = answers
        return self._extremes[onset_min]

    def answer(self, course: Course) -> Prediction:
        """Return the prediction for one course of events; only the decoder runs."""
        probability = np.zeros(self.size, dtype=np.float32)
        if self.features:
            probability[self.wanted] = self._decode(course)
        spread = Spread()
        spread.add(probability, 0.0)
        found = finish(self.case, self.bundle, self.sections, spread, self.runner)
        state = course.reperfusion
        if not isinstance(state, str):
            state = {0.0: "none", 0.5: "partial", 1.0: "complete"}.get(float(state), "partial")
        found = renamed(found, course, *NAMES[state])
        found.record["notes"] = [*found.record["notes"], ASSOCIATION]
        return found

    def _told(self, course: Course | None, count: int):
        return told_all(course_vector(self.case, self.bundle.card, course), count)

    def _encode(self, views, progress: Progress) -> list:
        def look(x, told):
            return self.network.encode(stacked(x), told)

        told = self._told(None, len(views))
        self._fits = lambda: batch_size(self.network, (stacked(views[:1]), told[:1]), self.runner.device)
        return self.runner.run(
            self.network, (views, told), lambda f: progress(f, "looking at the images"), call=look, size=self._fits
        )

    def _decode(self, course: Course) -> np.ndarray:
        def answer(*parts):
            return lesion_probability(self.network.decode(list(parts[:-1]), parts[-1]), self.bundle.card)

        parts = (*self.features, self._told(course, len(self.features[0])))
        return self.runner.run(self.network, parts, lambda f: None, call=answer, size=self._fits).numpy()
