"""The measures of a patient: what they are called, in which unit, how they are printed, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One measure.

    Attributes
    ----------
    key : str
        The field of `patient.Scores`.
    title, short : str
        As written in text, and in a table's head.
    unit : str
        Empty where there is none.
    digits : int
        Decimals to print.
    best : str
        ``"high"``, ``"low"`` or ``"zero"``.
    """

    key: str
    title: str
    short: str
    unit: str
    digits: int
    best: str

    @property
    def label(self) -> str:
        """Title with unit, for an axis."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


#: Every measure, in the order of a table's columns.
METRICS = {
    metric.key: metric
    for metric in (
        Metric("auc", "AUC of the map", "AUC", "", 2, "high"),
        Metric("binary_auc", "AUC of the mask", "AUC (mask)", "", 2, "high"),
        Metric("dice", "Dice similarity coefficient", "DSC", "", 2, "high"),
        Metric("ppv", "Precision (PPV)", "PPV", "", 2, "high"),
        Metric("recall", "Recall (sensitivity)", "Recall", "", 2, "high"),
        Metric("specificity", "Specificity", "Specificity", "", 3, "high"),
        Metric("volumetric_similarity", "Volumetric similarity", "VS", "", 2, "high"),
        Metric("hausdorff_mm", "Hausdorff distance", "HD", "mm", 1, "low"),
        Metric("hausdorff_95_mm", "95 % Hausdorff distance", "HD95", "mm", 1, "low"),
        Metric("volume_error_ml", "Volume error, predicted − true", "Volume error", "mL", 1, "zero"),
        Metric("absolute_volume_error_ml", "Absolute volume error", "|Volume error|", "mL", 1, "low"),
        Metric("lesion_f1", "Lesion-wise F1", "Lesion F1", "", 2, "high"),
        Metric("lesion_count_difference", "Lesion count, predicted − true", "Lesions", "", 0, "zero"),
    )
}
