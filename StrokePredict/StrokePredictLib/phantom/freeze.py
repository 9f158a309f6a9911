"""The phantom's fingerprint: networks may be trained and judged on simulated patients only while it stays the same.

``python -m StrokePredictLib.phantom.freeze`` writes ``frozen_record.py`` anew. That starts a new phantom: scores from
before it no longer compare. Every cohort says which one made it (``PhantomFingerprint`` in dataset_description.json).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .grid import Grid

RECORD = Path(__file__).with_name("frozen_record.py")
#: Where constants are taken from; every name in capitals counts, with or without an underscore.
MODULES = (
    "anatomy", "artefacts", "blood", "bolus", "chronic", "ct", "distortion", "emboli", "facts", "fate", "fields",
    "grid", "haemodynamics", "mr", "occlusion", "oedema", "parts", "populations", "protocols", "readers", "receive",
    "relaxation", "skull", "territory", "vessels",
)  # fmt: skip
#: A path, and a list that may grow at its end.
_LEFT_OUT = ("_MAPS", "STREAMS")
#: Patients whose figures are recorded: seed, population, modality, vendor.
PATIENTS = (
    (0, "lvo", "MR", "A"), (101, "yu2020", "MR", "B"), (102, "debs2021", "CT", "A"), (103, "dwi", "MR", "A"),
    (104, "dwi", "CT", "B"),
)  # fmt: skip
_GRID = Grid(shape=(12, 64, 64), spacing=(3.6, 3.6, 12.0))


def parameters() -> dict[str, Any]:
    """Return every constant of the simulator by module and name, as JSON carries it."""
    found = {}
    for name in MODULES:
        module = import_module(f".{name}", __package__)
        constants = {k: _plain(v) for k, v in vars(module).items() if k.strip("_").isupper() and k not in _LEFT_OUT}
        found[name] = {k: v for k, v in constants.items() if v is not None}
    return found


def _plain(value: Any) -> Any:
    """Return numbers, words and what holds them; None for the rest."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return [[_plain(k), _plain(v)] for k, v in value.items()]
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    return value if isinstance(value, (bool, int, float, str)) else None


def figures() -> dict[str, dict[str, float]]:
    """Simulate a few patients; return their volumes (mL) and the means of their images and maps."""
    from .patient import simulate_patient

    found = {}
    for seed, population, modality, vendor in PATIENTS:
        p = simulate_patient(seed, grid=_GRID, population=population, modality=modality, vendor=vendor)
        one = {f"mL {name}": ml for name, ml in p.facts["ml"].items()}
        one |= {f"image {name}": float(np.abs(v.array).mean()) for name, v in p.volumes.items()}
        one |= {f"map {name}": float(p.truth[name].array.mean()) for name in ("cbf", "cbv", "mtt", "delay", "tmax_ref")}
        found[f"{seed} {population} {modality} {vendor}"] = {name: round(v, 3) for name, v in one.items()}
    return found


def fingerprint(recorded: dict[str, dict[str, float]]) -> str:
    """Return the SHA-256 over the constants of today and the figures that were recorded."""
    text = json.dumps([parameters(), recorded], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def main() -> None:
    """Write the record."""
    recorded = figures()
    lines = ['"""The frozen phantom: written by `freeze`, never by hand."""', ""]
    lines += [f'FINGERPRINT = "{fingerprint(recorded)}"', "#: By patient: volumes in mL, means of images and maps."]
    lines += ["FIGURES = {"]
    for patient, values in recorded.items():
        lines += [f'    "{patient}": {{']
        lines += [f'        "{name}": {value!r},' for name, value in values.items()]
        lines += ["    },"]
    RECORD.write_text("\n".join([*lines, "}", ""]), encoding="utf-8")
    print(fingerprint(recorded))


if __name__ == "__main__":
    main()
