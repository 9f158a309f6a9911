"""Target errors and times of rigid registration on simulated heads that moved by up to 15 mm and 10°.

``PYTHONPATH=StrokePredict:Testing python Testing/Benchmarks/registration.py [pairs]``
"""

import json
import sys
import time

import numpy as np
from support.heads import MovedGrid, as_if_unmoved, ct_head, motion
from support.same_head import PLAIN, SLAB, ct_of_patient, pwi_of_patient

from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.patient import simulate_patient
from StrokePredictLib.preprocess.registration import register_rigid

MR = (("b0", "b0"), ("dwi", "flair"), ("b0", "flair"), ("dwi", "b0"), ("b0", "dwi"))
MR_GRID = {"shape": (28, 110, 110), "spacing": (2.1, 2.1, 5.5)}
CT_GRID = {"shape": (32, 256, 256), "spacing": (0.9, 0.9, 5.0)}


def target_errors(result, matrix, brain):
    index = np.argwhere(brain.array > 0)[::17, ::-1]
    points = index @ brain.affine[:3, :3].T + brain.affine[:3, 3]
    gap = (result.matrix - np.linalg.inv(matrix))[:3]
    return np.linalg.norm(points @ gap[:, :3].T + gap[:, 3], axis=1)


def mr_pair(number, rng):
    matrix = motion(rng)
    here = simulate_patient(number, perfusion=False)
    there = simulate_patient(number, perfusion=False, grid=MovedGrid(**MR_GRID, moved=tuple(matrix.ravel())))
    one, two = MR[number % len(MR)]
    return here.volumes[one], as_if_unmoved(there.volumes[two], matrix), here.truth["brain"], matrix


def ct_pair(number, rng):
    matrix = motion(rng)
    here, brain = ct_head(number, Grid(**CT_GRID))
    grid = MovedGrid(shape=(40, 200, 200), spacing=(1.1, 1.1, 4.0), moved=tuple(matrix.ravel()))
    there, _ = ct_head(number, grid, 12)
    return here, as_if_unmoved(there, matrix), brain, matrix


def across_pair(number, rng):
    """Plain CT or a perfusion slab onto MR of the same head, or a later perfusion series onto it."""
    matrix = motion(rng)
    here = simulate_patient(number, perfusion=False)
    kind = number % 4
    if kind == 3:
        there = pwi_of_patient(here, matrix, MR_GRID)
    else:
        there = ct_of_patient(here, matrix, SLAB if kind == 1 else PLAIN, 6.0 if kind == 1 else 3.5)
    role = ("b0", "dwi", "flair")[number // 4 % 3]
    return here.volumes[role], as_if_unmoved(there, matrix), here.truth["brain"], matrix


def main(pairs):
    rng = np.random.default_rng(0)
    report = {}
    for name, make in (("MR", mr_pair), ("CT", ct_pair), ("CT or 24 h perfusion to MR", across_pair)):
        errors, times, failures = [], [], 0
        for number in range(pairs):
            fixed, moving, brain, matrix = make(number, rng)
            start = time.perf_counter()
            result = register_rigid(fixed, moving)
            times.append(time.perf_counter() - start)
            failures += bool(result.failure)
            errors.append(target_errors(result, matrix, brain))
        together = np.concatenate(errors)
        report[name] = {
            "pairs": pairs,
            "called_failed": failures,
            "median_mm": round(float(np.median(together)), 3),
            "p95_mm": round(float(np.percentile(together, 95)), 3),
            "worst_pair_median_mm": round(max(float(np.median(e)) for e in errors), 3),
            "median_s": round(float(np.median(times)), 2),
            "longest_s": round(max(times), 2),
        }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
