"""All experiments by name."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from StrokePredictLib.errors import StrokeError

if TYPE_CHECKING:
    from .experiment import Experiment

#: Name → module of this package with an `EXPERIMENT`.
_MODULES = {
    "yu-table2": "yu_table2",
    "debs-table2": "debs_table2",
    "debs-table3": "debs_table3",
    "debs-ablation": "debs_ablation",
    "debs-fusion": "debs_fusion",
    "debs-responder": "debs_responder",
    "alis-vendors": "alis_vendors",
    "mittermeier-cv": "mittermeier_cv",
    "fate-conditioning": "fate_conditioning",
}


def names() -> list[str]:
    """Return the names of all experiments."""
    return list(_MODULES)


@cache
def experiment_of(name: str) -> Experiment:
    """Return an experiment.

    Raises
    ------
    StrokeError
        If there is none of that name.
    """
    if name not in _MODULES:
        raise StrokeError(f"no experiment '{name}'; there are {', '.join(_MODULES)}.")
    return import_module(f".{_MODULES[name]}", __package__).EXPERIMENT
