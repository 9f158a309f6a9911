"""The benchmark on a small series: its references do the same work, and its figures are there."""

import json

import numpy as np

from StrokeCommand.benchmarks import perfusion
from StrokePredictLib.perfusion.deconvolve import Settings, deconvolve


def test_references_do_the_same_work():
    curves, aif = perfusion.brain_curves(45, 300)
    flow, volume, tmax = perfusion.vectorised(curves, aif)
    np.testing.assert_allclose(perfusion.looped(curves, aif), np.stack([flow, volume, tmax], axis=1), rtol=1e-5)
    rates = deconvolve(curves, aif, perfusion.INTERVAL, Settings("bsvd", cut=perfusion.CUT))
    np.testing.assert_allclose(rates.volume, volume, rtol=1e-4)
    # Ours lies between the frames: at or above the plain maximum, within a frame of its time.
    assert (rates.flow >= flow * (1 - 1e-4)).all()
    late = tmax >= 45 * perfusion.INTERVAL
    assert np.abs(rates.tmax - np.where(late, tmax - 90 * perfusion.INTERVAL, tmax)).max() <= 0.5 * perfusion.INTERVAL


def test_figures_of_a_small_run():
    figures = perfusion.run(("bsvd",), shape=(45, 10, 64, 64), brain=15000)
    assert json.loads(json.dumps(figures)) == figures
    row = figures["methods"]["bsvd"]
    for letter in ("a_bare_product", "b_vectorised_matrix", "c_voxel_loop"):
        ratio = row["deconvolution_s"] / figures["references"][f"{letter}_s"]
        np.testing.assert_allclose(row[f"ratio_to_{letter}"], ratio, rtol=2e-3)
    assert row["series_to_maps_s"] > 0
