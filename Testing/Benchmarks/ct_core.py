"""How much of the simulated core the CT rule finds, by deconvolution; prints JSON.

``stroke phantom -o COHORT --cases 12 --seed 4401 --modality CT``, then
``python Testing/Benchmarks/ct_core.py COHORT [METHOD …]``. Patients whose series fails its quality check are counted
and left out, as a reader would.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("StrokePredict", "StrokeTrain", "Testing")]

METHODS = ("bsvd", "vascular")


def dice(found, true):
    """Return Dice's coefficient of two masks."""
    return float(2 * (found & true).sum() / max(found.sum() + true.sum(), 1))


def measure(cohort: Path, patient: str, method: str) -> dict[str, float] | None:
    """Return volumes (mL) and Dice of core and hypoperfusion; None where the quality check failed."""
    from StrokePredictLib import jobs
    from StrokePredictLib.io.images import read_image

    def truth(name: str):
        return read_image(cohort / "derivatives" / patient / "truth" / f"{patient}_{name}.nii.gz", may_be_empty=True)

    core, brain, tmax = (truth(name) for name in ("core", "brain", "tmax_ref"))
    late = (tmax.array > 6) & (brain.array > 0)
    series = cohort / "raw_data" / patient / "ses-01" / f"{patient}_ses-01_ctp.nii.gz"
    with tempfile.TemporaryDirectory() as place:
        maps, rules = Path(place) / "maps", Path(place) / "rules"
        start = time.perf_counter()
        jobs.run("perfusion", series=series, output=maps, method=method)
        seconds = time.perf_counter() - start
        files = {role: str(maps / f"{role}.nii.gz") for role in ("tmax", "cbf", "cbv", "mtt", "ttp")}
        done = jobs.run("threshold", output=rules, folder=cohort, patient=patient, files=files)
        if done["volumes"]["volumes_ml"]["core_cbf"] == "not computed":
            return None
        names = ("core_cbf", "hypoperfused_tmax")
        masks = {key: read_image(rules / f"{key}.nii.gz", may_be_empty=True).array > 0 for key in names}
    return {
        "core_ml": core.voxel_ml * float(masks["core_cbf"].sum()),
        "true_core_ml": core.voxel_ml * float((core.array > 0).sum()),
        "core_dice": dice(masks["core_cbf"], core.array > 0),
        "late_dice": dice(masks["hypoperfused_tmax"], late),
        "seconds": seconds,
    }


def summary(found: list[dict[str, float] | None]) -> dict[str, object]:
    """Return medians and quartiles over those who were measured."""
    good = [one for one in found if one is not None]
    shares = [one["core_ml"] / one["true_core_ml"] for one in good if one["true_core_ml"]]

    def quartiles(values: list[float]) -> list[float]:
        return [round(float(value), 2) for value in np.percentile(values, (50, 25, 75))]

    return {
        "patients": len(good), "failed_quality": len(found) - len(good),
        "core_dice": quartiles([one["core_dice"] for one in good]),
        "found_share_of_core_volume": quartiles(shares),
        "tmax_dice": quartiles([one["late_dice"] for one in good]),
        "median_s": round(float(np.median([one["seconds"] for one in good])), 1),
    }  # fmt: skip


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    people = sorted(path.name for path in (folder / "raw_data").glob("sub-*"))
    print(json.dumps({m: summary([measure(folder, p, m) for p in people]) for m in sys.argv[2:] or METHODS}, indent=1))
