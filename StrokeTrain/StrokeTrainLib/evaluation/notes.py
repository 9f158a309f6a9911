"""What a reader must know of an evaluation's patients before its numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .results import Results

#: Different reasons that are told one by one.
MOST_NOTES = 12


def described_in_fewer(results: Results, tested: Results) -> list[str]:
    """Say that others than the network are described in fewer patients than they have scores of."""
    others = [results.methods[method] for method in results.methods if results.kinds[method] != "network"]
    if not others or len(tested.patients) == len(results.patients):
        return []
    return [
        f"The other methods ({'; '.join(others)}) are described in the {len(tested.patients)} of "
        f"{len(results.patients)} patients whom the network was tested on; metrics.csv holds their scores in all."
    ]


def without_numbers(results: Results) -> list[str]:
    """Return what a reader must know of patients without numbers, the commonest reason first.

    What concerns all methods of a patient is said once. Of many different reasons the rest stands in ``metrics.csv``.
    """
    told: dict[tuple[str, str], list[str]] = {}
    for patient in results.patients:
        reasons: dict[str, list[str]] = {}
        for method in results.methods:
            row = results.rows.get((patient, method))
            if row is not None and not np.isfinite(row["dice"]):
                reasons.setdefault(row["note"].replace(patient, "ID").removeprefix("ID: "), []).append(method)
        for why, methods in reasons.items():
            everything = len(methods) == len(results.methods) > 1
            who = "All methods" if everything else ", ".join(results.methods[method] for method in methods)
            told.setdefault((who, why), []).append(patient)
    ordered = sorted(told.items(), key=lambda item: -len(item[1]))
    said = []
    for (who, why), names in ordered[:MOST_NOTES]:
        words = why.replace("ID", names[0]) if len(names) == 1 else why
        said.append(f"{who}: {_few(names)} without numbers. {words}")
    rest = sum(len(names) for _, names in ordered[MOST_NOTES:])
    return said + ([f"{rest} more rows or patients without numbers: see the notes in metrics.csv."] if rest else [])


def _few(names: Sequence[str]) -> str:
    count = f"{len(names)} patient{'s' if len(names) > 1 else ''}"
    return f"{count} ({', '.join(names[:4])}{' …' if len(names) > 4 else ''})"
