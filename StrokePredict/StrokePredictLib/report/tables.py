"""The rows that every page, picture and scene table shows, made once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..segments import AT, SEGMENTS, kind_of, segment_for
from ..study import DEMONSTRATION, NOT_CLINICAL, SIMULATED, Study
from .predicted import interval_text, model_label

NOT_COMPUTED = "not computed"

#: Keys of ``volumes_ml`` in reading order, with their names where no segment gives one.
_VOLUME_NAMES = {
    "core_adc": None,
    "core_cbf": None,
    "core_network": None,
    "tmax_gt_4": "Tmax > 4 s",
    "hypoperfused_tmax": None,
    "tmax_gt_8": "Tmax > 8 s",
    "tmax_gt_10": "Tmax > 10 s",
    "penumbra": None,
    "brain": None,
}
#: Given twice under two keys: Tmax > 6 s is the hypoperfused mask.
_SAME = {"tmax_gt_6": "hypoperfused_tmax"}
_TRUTH_OF_TARGET = {"final-infarct": ("infarct_predicted", "ground_truth"), "acute-core": ("core_network", "core_adc")}


@dataclass(frozen=True)
class Row:
    """One measured quantity.

    Attributes
    ----------
    key : str
        Key in ``volumes.json``, or the model's name.
    label, value, unit : str
        As shown; ``value`` may be a sentence such as "not computed".
    truth : str
        Simulated patients: the true value, else empty.
    colour : tuple of float, optional
        RGB of the segment of that quantity.
    short : str
        A shorter label, where there is little room.
    interval : str
        Interval of a predicted volume, "low to high", in ``unit``; else empty.
    """

    key: str
    label: str
    value: str
    unit: str = "mL"
    truth: str = ""
    colour: tuple[float, float, float] | None = None
    short: str = ""
    interval: str = ""

    @property
    def text(self) -> str:
        """Value with unit; a value in words stands alone."""
        return with_unit(self.value, self.unit)


def with_unit(value: str, unit: str) -> str:
    """Return ``value unit``, or the value alone where it is no number."""
    return f"{value} {unit}".strip() if value[:1].isdigit() or value[:1] in "-−∞" else value


def shown(value: Any, digits: int = 1) -> str:
    """Return a value as readers see it: a number rounded, words as they are, nothing as "not computed"."""
    if value is None or value == "":
        return NOT_COMPUTED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        if value != value:
            return NOT_COMPUTED
        return "∞" if value == float("inf") else f"{value:.{digits}f}"
    return str(value)


def volume_rows(study: Study) -> list[Row]:
    """Return every measured volume and every model's, in reading order."""
    volumes = dict(study.volumes.get("volumes_ml") or {})
    for twin, key in _SAME.items():
        if twin in volumes:
            volumes.setdefault(key, volumes[twin])
            del volumes[twin]
    names = {**_VOLUME_NAMES, **{key: None for key in volumes if key not in _VOLUME_NAMES}}
    rows = [_volume_row(study, key, name, volumes[key]) for key, name in names.items() if key in volumes]
    brain = [row for row in rows if row.key == "brain"]
    return [row for row in rows if row.key != "brain"] + prediction_rows(study) + brain


def _volume_row(study: Study, key: str, name: str | None, value: Any) -> Row:
    segment = SEGMENTS.get(key)
    label = name or (segment.name if segment else key.replace("_", " "))
    truth = shown(study.truth[key]) if key in study.truth else ""
    return Row(key, label, shown(value), truth=truth, colour=segment.colour if segment else None)


def prediction_rows(study: Study) -> list[Row]:
    """Return one row a model, with the true volume of what it predicts where that is known.

    In the order of the kinds of masks; second models of a kind come last.
    """
    rows = []
    rank = list(SEGMENTS).index

    def place(model: dict[str, Any]) -> tuple[bool, int]:
        key = model.get("segment", "")
        return AT in key, rank(kind_of(key)) if kind_of(key) in SEGMENTS else len(SEGMENTS)

    for model in sorted((study.prediction or {}).get("models", []), key=place):
        usual = "core_network" if model.get("target") == "acute-core" else "infarct_predicted"
        segment = segment_for(model.get("segment") or usual)
        truth = next((shown(study.truth[key]) for key in _truth_keys(model, segment.key) if key in study.truth), "")
        value = shown(model.get("volume_ml"))
        rows.append(
            Row(
                model["name"], model_label(model), value, truth=truth, colour=segment.colour, short=segment.name,
                interval=interval_text(model),
            )
        )  # fmt: skip
    return rows


def _truth_keys(model: dict[str, Any], key: str) -> tuple[str, ...]:
    """Return under which keys the truth of a prediction may stand; what happened is no truth of what might have."""
    if model.get("reperfusion", "any") != "any" or "course" in model:
        return model["name"], key, kind_of(key)
    return (model["name"], key, *_TRUTH_OF_TARGET.get(model.get("target", ""), ()))


def mismatch_rows(study: Study) -> list[Row]:
    """Return mismatch volume, mismatch ratio and hypoperfusion intensity ratio; empty if nothing was measured."""
    mismatch = study.volumes.get("mismatch")
    rows = []
    if mismatch is not None:
        rows.append(Row("mismatch_volume", "Mismatch volume", shown(mismatch.get("volume_ml"))))
        rows.append(Row("mismatch_ratio", "Mismatch ratio", shown(mismatch.get("ratio"), 2), unit=""))
    if "hir" in study.volumes:
        label = "Hypoperfusion intensity ratio (HIR)"
        short = "HIR (Tmax > 10 s / > 6 s)"
        rows.append(Row("hir", label, shown(study.volumes["hir"], 2), unit="", short=short))
    return rows


def criteria(study: Study) -> list[dict[str, Any]]:
    """Return each trial's criteria: ``title``, ``verdict`` and ``items`` of ``name``, ``value``, ``met`` as words."""
    words = {True: "met", False: "not met", None: "not assessable"}
    result = []
    for key, trial in (study.volumes.get("criteria") or {}).items():
        items = [
            {"name": item["name"], "value": shown(item.get("value")), "met": words[item.get("met")]}
            for item in trial.get("items", [])
        ]
        verdict = trial.get("verdict", "not assessable")
        result.append({"key": key, "title": trial.get("title", key), "verdict": verdict, "items": items})
    return result


def is_demonstration(study: Study) -> bool:
    """Whether any model of the prediction is one with demonstration weights."""
    prediction = study.prediction or {}
    made = [*prediction.get("models", []), *(prediction.get("classifications") or [])]
    return any(model.get("demonstration") for model in made)


def warnings(study: Study) -> list[str]:
    """Return the lines that stand on every page."""
    lines = [SIMULATED] if study.case.simulated else []
    lines.append(NOT_CLINICAL)
    if is_demonstration(study):
        lines.append(DEMONSTRATION)
    return lines


def side_text(study: Study) -> str:
    """Return the side of the lesion in words."""
    words = {"left": "Left", "right": "Right", "both": "Both sides", "none": "None found"}
    return words.get(study.volumes.get("side", ""), "Not assessed")


def coverage_text(study: Study) -> str:
    """Return the sentence on coverage."""
    return study.volumes.get("coverage") or "Coverage of the brain was not assessed."


def doubts(study: Study) -> list[str]:
    """Return every doubt once, in the order in which they arose; what `warnings` says is not said again."""
    found: dict[str, None] = {}
    perfusion = study.perfusion or {}
    parts = (study.case.doubts, study.volumes.get("doubts"), perfusion.get("warnings"), perfusion.get("doubts"))
    for part in (*parts, (study.prediction or {}).get("doubts")):
        for sentence in part or ():
            found.setdefault(sentence)
    return [sentence for sentence in found if sentence not in warnings(study)]


def perfusion_failed(study: Study) -> bool:
    """Whether a quality check of the perfusion series failed and no reader has overridden it."""
    overridden = (study.volumes.get("parameters") or {}).get("quality_override_by")
    return (study.perfusion or {}).get("quality_passed") is False and not overridden
