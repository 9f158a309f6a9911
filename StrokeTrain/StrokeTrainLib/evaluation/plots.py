"""The figures of an evaluation, each as PDF and PNG, with the words that stand below them in the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.volume import Volume

from ..cohort.table import Patient
from ..figures.cases import CasePicture, draw_cases, pick_cases, picture_of
from ..figures.curves import draw_calibration, draw_roc_folds
from ..figures.groups import draw_groups
from ..figures.volumes import draw_bland_altman, draw_volume_correlation
from ..metrics.catalogue import METRICS
from ..metrics.rules import RULES, apply_rule
from ..statistics.calibration import bin_counts, calibration
from ..statistics.roc import roc_curve
from .classification import Classified
from .patient import load_patient, read_prediction, rule_volumes
from .results import Results
from .sources import Source
from .summary import SUBGROUPS, labels_of

#: Images that show a lesion to a reader, the best first.
_SHOWN = ("dwi", "adc", "tmax", "cbf", "ncct", "b0")
#: Measures that are drawn by subgroup.
_GROUPED = ("dice", "auc")


@dataclass(frozen=True)
class Figure:
    """A figure that was written.

    Attributes
    ----------
    name : str
        Of the files, without suffix.
    caption : str
        What it shows.
    inline : bool
        Whether the report shows it; the others are files only.
    """

    name: str
    caption: str
    inline: bool = True

    def files(self) -> list[str]:
        """Return the names of both files."""
        return [f"{self.name}.pdf", f"{self.name}.png"]


def draw_maps(
    results: Results, sources: Sequence[Source], patients: Mapping[str, Patient], folder: Path, cache: Path,
    summary: Mapping[str, Any], seed: int = 0, cleaned: bool = False,
) -> list[Figure]:
    """Draw every figure of networks that give maps.

    Parameters
    ----------
    results : Results
        All rows.
    sources : sequence of Source
        The networks: where single patients' predictions lie.
    patients : mapping of str to Patient
        By identifier.
    folder : Path
        There already.
    cache : Path
        Where computed maps lie.
    summary : mapping
        From `summary.summarise`: which subgroups to draw.
    seed : int
        Of the intervals.
    cleaned : bool
        Whether the rules' masks were cleaned.
    """
    shown = {"simulated": results.simulated}
    pairs = {
        results.methods[method]: (results.column(method, "predicted_ml"), results.column(method, "true_ml"))
        for method in results.methods
    }
    draw_bland_altman(folder / "bland-altman", pairs, **shown)
    draw_volume_correlation(folder / "volume-correlation", pairs, **shown)
    made = [
        Figure("bland-altman", "Bland-Altman analysis of predicted and true volume. Lines: bias and limits of "
               "agreement (bias ± 1.96 SD); bands: their 95 % confidence intervals. Each panel has its own scales."),
        Figure("volume-correlation", "Predicted against true volume on cube-root axes, with Lin's concordance "
               "correlation coefficient ρc of the cube roots and its 95 % confidence interval."),
    ]  # fmt: skip
    for source in sources:
        curve = calibration(list(results.bins[source.name].values()), seed=seed)
        name = f"calibration-{source.name}"
        draw_calibration(folder / name, curve, **shown)
        made.append(Figure(name, f"Calibration of {source.title}: observed share of lesion among the brain's voxels, "
                           "by predicted probability; intervals from drawing patients."))  # fmt: skip
    made += _groups(results, folder, summary)
    for source in sources:
        made += _cases(results, source, patients, folder, cache, cleaned)
    return made


def _groups(results: Results, folder: Path, summary: Mapping[str, Any]) -> list[Figure]:
    made = []
    for name, found in summary["subgroups"].items():
        # One group of everybody shows nothing that the tables do not.
        if sum(level["patients"] > 0 for level in found["levels"].values()) < 2:
            continue
        for key in _GROUPED:
            columns = {results.methods[method]: results.column(method, key) for method in results.methods}
            stem = f"{key}-by-{name.replace('_', '-')}"
            draw_groups(folder / stem, columns, labels_of(results, name), title=METRICS[key].label,
                        levels=SUBGROUPS[name][1], grouped_by=found["title"], simulated=results.simulated)  # fmt: skip
            title = found["title"][0].lower() + found["title"][1:]
            caption = f"{METRICS[key].title} by {title}; each point is a patient."
            made.append(Figure(stem, caption, key == "dice"))
    return made


def _cases(
    results: Results, source: Source, patients: Mapping[str, Patient], folder: Path, cache: Path, cleaned: bool
) -> list[Figure]:
    """Draw the best, the median and the worst patient of a network by Dice; nothing where nobody was scored."""
    column = results.column(source.name, "dice")
    rule = _best_rule(results)
    pictures = []
    for word, place in pick_cases(column).items():
        patient = results.patients[place]
        words = f"{word.capitalize()}\n{patient}\nDSC {column[place]:.2f}"
        try:
            pictures.append(_picture(patients[patient], source, rule, results, words, cache, cleaned))
        except StrokeError:
            continue  # a file went between scoring and drawing: its row is whole, its picture is not there
    if not pictures:
        return []
    name = f"cases-{source.name}"
    draw_cases(folder / name, pictures, simulated=results.simulated)
    beside = f" and of the rule {results.methods[rule]}" if rule else ""
    return [Figure(name, f"Patients with the best, the median and the worst Dice of {source.title}: outlines of the "
                   f"truth, of the network{beside}. Radiological convention.")]  # fmt: skip


def _best_rule(results: Results) -> str | None:
    """Return the rule with the highest median Dice; None where no rule was applied."""
    columns = {rule: results.column(rule, "dice") for rule in results.of_kind("rule")}
    medians = {rule: float(np.nanmedian(values)) for rule, values in columns.items() if np.isfinite(values).any()}
    return max(medians, key=medians.__getitem__, default=None)


def _picture(
    patient: Patient, source: Source, rule: str | None, results: Results, words: str, cache: Path, cleaned: bool
) -> CasePicture:
    roles = RULES[rule].needs if rule else ()
    loaded = load_patient(patient, results.target, roles, cache)
    mask, _ = read_prediction(source.places[patient.id])
    outlines: dict[str, Volume] = {source.title: mask}
    if rule:
        volumes, _ = rule_volumes(patient, results.target, loaded.case, cleaned)
        outlines[results.methods[rule]] = apply_rule(rule, volumes).mask
    role = next(role for role in (*_SHOWN, *loaded.case.volumes) if role in loaded.case.volumes)
    volumes = loaded.case.volumes
    return picture_of(words, role, volumes[role], loaded.truth, outlines, volumes.get("brain"))


def draw_classifier(found: Classified, folder: Path, seed: int = 0) -> list[Figure]:
    """Draw the ROC curves by fold and the calibration of a classifier."""
    labels, values = found.labels, found.probabilities
    folds = np.array([row["fold"] or 0 for row in found.rows])
    curves = [roc_curve(labels[folds == fold], values[folds == fold]) for fold in sorted(set(folds.tolist()))]
    draw_roc_folds(folder / "roc", curves, simulated=found.simulated)
    known = np.isfinite(labels) & np.isfinite(values)
    counts = [bin_counts(np.array([y]), np.array([p])) for y, p in zip(labels[known], values[known], strict=True)]
    curve = calibration(counts, seed=seed)
    draw_calibration(folder / "calibration", curve, cases="Patients", simulated=found.simulated)
    return [
        Figure("roc", "Receiver operating characteristic of every fold's test patients, their mean and ± 1 SD."),
        Figure("calibration", "Calibration: share of patients with a large core by predicted probability; Wilson's "
               "intervals."),
    ]  # fmt: skip
