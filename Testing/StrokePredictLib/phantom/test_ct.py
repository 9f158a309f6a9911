"""CT of simulated heads: HU of what is there, noise, and the iodine's curves written out here."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage

from StrokePredictLib.perfusion.pipeline import compute_maps
from StrokePredictLib.perfusion.ratio import ct_core, relative_cbf
from StrokePredictLib.phantom import protocols
from StrokePredictLib.phantom.anatomy import build_anatomy, draw_pose
from StrokePredictLib.phantom.artefacts import Artefacts
from StrokePredictLib.phantom.blood import Late
from StrokePredictLib.phantom.bolus import draw_bolus, reference_flow_share
from StrokePredictLib.phantom.ct import CTImager
from StrokePredictLib.phantom.protocols import CTScanner
from StrokePredictLib.phantom.vessels import Vessels
from StrokePredictLib.preprocess.brain_mask_ct import brain_mask_ct

QUIET = CTScanner(noise_hu=1e-6, plain_noise_hu=1e-6, grain_mm=1e-6)
LATE = Late(3.0, 2.0, 3.0, 4.0)


@pytest.fixture(scope="module")
def head():
    pose = draw_pose(3, female=False)
    found = build_anatomy(3, protocols.grid("CT", "A", 3, pose.pitch_deg), pose, 60.0)
    return replace(found, wm_lesion=0 * found.white, old_infarct=0 * found.white)


def vessels_of(head, **fractions):
    none = np.zeros(len(head.inside), dtype=np.float32)
    return Vessels(**{name: fractions.get(name, none) for name in ("artery", "late_artery", "clot", "vein")})


def ball(head, centre, radius):
    return np.linalg.norm(head.mni - np.array(centre), axis=1) < radius


def imager(head, scanner=QUIET, seed=3, **fractions):
    return CTImager(seed, head, vessels_of(head, **fractions), scanner, Artefacts(shading=0.0))


def fate_of(head, dead=None):
    depth = np.full(len(head.inside), 5.0)
    if dead is not None:
        depth[dead] = 0.2
    return SimpleNamespace(depth=depth)


def test_tissue_has_its_hounsfield_units(head):
    hu = imager(head).plain(fate_of(head), 3.0).ravel()[head.inside]
    full = head.grey + head.white + head.csf > 0.999
    for part, expected in ((head.grey, 37), (head.white, 29), (head.csf, 8)):
        assert np.median(hu[(part > 0.97) & full]) == pytest.approx(expected, abs=1.0)


def test_skull_has_two_tables_with_scalp_and_air_around(head):
    hu, depth = imager(head).still_hu(), head.skull_mm
    section = slice(12, 16)  # the vault: steep walls
    at = lambda low, high: np.median(hu[section][(depth[section] > low) & (depth[section] < high)])  # noqa: E731
    assert at(1.2, 2.5) > at(3.3, 4.3) + 80
    assert at(5.0, 6.2) > at(3.3, 4.3) + 200
    assert 300 < at(3.3, 4.3) < 800
    assert 700 < at(1.2, 6.5) < 1200
    assert -130 < at(9.0, 11.0) < 60
    assert hu[:, :4, :4].max() == -1000


def test_dead_tissue_takes_up_water_with_the_hours(head):
    dead = ball(head, (35, -5, 20), 15)
    one = imager(head)
    before = one.still_hu().ravel()[head.inside]
    pure = dead & (head.grey + head.white > 0.999)
    assert pure.sum() > 50
    shares = [one.still_hu(fate_of(head, dead), h).ravel()[head.inside][pure] / before[pure] for h in (1.0, 3.0, 6.0)]
    lost = [1 - float(np.median(share)) for share in shares]
    assert lost == pytest.approx([0.25 * (1 - np.exp(-h / 10)) for h in (1, 3, 6)], abs=0.002)
    assert 37 * lost[2] == pytest.approx(4.2, abs=0.5)  # a few HU at 6 h


@pytest.mark.parametrize("vendor", ["A", "B"])
def test_noise_has_its_size_in_the_brain_and_a_grain(head, vendor):
    scanner = protocols.scanner("CT", vendor)
    noisy = imager(head, scanner)
    still = ndimage.gaussian_filter(noisy.still_hu(), noisy.blur)
    noise = noisy.plain(fate_of(head), 0.0) - still
    inside = np.zeros(noise.size, bool)
    inside[head.inside[head.brain]] = True
    inside = ndimage.binary_erosion(inside.reshape(noise.shape), np.ones((1, 3, 3)))
    assert noise[inside].std() == pytest.approx(scanner.plain_noise_hu, rel=0.08)
    neighbour = np.corrcoef(noise[:, :, :-1][inside[:, :, :-1]], noise[:, :, 1:][inside[:, :, :-1]])[0, 1]
    assert 0.0 < neighbour < 0.6


def test_series_is_iodine_times_its_attenuation(head):
    """ΔHU = k·CBF/6000·ρ/kH·(AIF ⊗ exp(−t/MTT))(t − delay) in tissue, k·AIF in a voxel of artery alone."""
    n = len(head.inside)
    flow = SimpleNamespace(
        cbf=np.full(n, 50, np.float32), mtt=np.full(n, 4.5, np.float32), delay=np.full(n, 1.5, np.float32)
    )
    artery = ball(head, (30, 0, 0), 5).astype(np.float32)
    bolus = draw_bolus(3, QUIET)
    one = imager(head, artery=artery)
    series = one.perfusion(flow, bolus, LATE).reshape(QUIET.frames, -1)[:, head.inside]
    still = one.still_hu().ravel()[head.inside]
    times = QUIET.times
    expected = []
    for t in times:
        u = np.arange(0.0, max(t - 1.5, 0) + 0.02, 0.02)
        expected.append(np.trapezoid(bolus(t - 1.5 - u) * np.exp(-u / 4.5), u))
    expected = QUIET.hu_per_mg * 50 / 6000 * 1.05 / 0.73 * np.array(expected)
    tissue = (head.grey > 0.9) & (artery == 0)
    found = (series - still)[:, tissue].mean(axis=1)
    assert np.abs(found - expected).max() < 0.15
    assert 5 < expected.max() < 18
    blood = (series - still)[:, artery == 1]
    assert np.abs(blood - QUIET.hu_per_mg * bolus(times)[:, None]).max() < 0.6  # whole HU


@pytest.mark.parametrize("vendor", ["A", "B"])
def test_arteries_reach_250_to_450_hu(vendor):
    scanner = protocols.scanner("CT", vendor)
    boluses = [draw_bolus(seed, scanner) for seed in range(60)]
    heights = [scanner.hu_per_mg * b(np.arange(0, 60, 0.1)).max() for b in boluses]
    assert min(heights) > 250
    assert max(heights) < 450
    assert all(b.arrival > 3 * scanner.interval for b in boluses)


def test_some_clots_are_dense(head):
    clot = ball(head, (30, 0, 0), 5).astype(np.float32)
    where = (clot == 1) & (head.grey + head.white + head.csf > 0.99)
    few = [imager(head, seed=seed, clot=clot) for seed in range(8)]
    hu = np.array([np.median(one.still_hu().ravel()[head.inside][where]) for one in few])
    assert 1 <= np.count_nonzero(hu > 55) <= 7
    assert hu.min() > 38
    assert hu.max() < 85


def test_old_infarcts_and_white_matter_lesions_are_dark(head):
    sick = replace(head, wm_lesion=head.white * (head.mni[:, 0] > 0), old_infarct=head.grey * (head.mni[:, 0] < 0))
    hu = imager(sick).still_hu().ravel()[head.inside]
    assert np.median(hu[(head.white > 0.97) & (head.mni[:, 0] > 0)]) == pytest.approx(23, abs=1)
    assert np.median(hu[(head.grey > 0.97) & (head.mni[:, 0] < 0)]) == pytest.approx(13, abs=1)


def test_beam_hardening_darkens_between_the_petrous_bones(head):
    plain = imager(head).still_hu()
    banded = CTImager(3, head, vessels_of(head), QUIET, Artefacts(beam_hardening_hu=12.0)).still_hu()
    change = (banded - plain).ravel()[head.inside]
    x, y, z = head.mni.T
    band = (np.abs(x) < 15) & (np.abs(y + 27) < 4) & (z < -12)
    assert band.sum() > 10
    # A Gaussian of 12 mm about z = −40 and of 7 mm about y = −27; the head's own deformation moves it by some mm.
    expected = -12.0 * np.exp(-(((z + 40) / 12) ** 2) - ((y + 27) / 7) ** 2)[band]
    assert change[band].mean() == pytest.approx(expected.mean(), rel=0.35)
    assert change[band].min() < -1.5
    assert np.abs(change[head.mni[:, 2] > 10]).max() < 0.1


@pytest.mark.parametrize("vendor", ["A", "B"])
def test_the_brain_is_found_inside_the_skull(vendor):
    pose = draw_pose(4, female=True)
    one = build_anatomy(4, protocols.grid("CT", vendor, 4, pose.pitch_deg), pose, 75.0)
    scanner = protocols.scanner("CT", vendor)
    found = brain_mask_ct(one.grid.volume(imager(one, scanner, 4).plain(fate_of(one), 0.0), "plain CT")).array
    true = one.on_grid(one.brain) > 0
    assert 2 * (found & true).sum() / (found.sum() + true.sum()) >= 0.95


def test_maps_of_a_simulated_series_find_the_slow_and_the_starved(head):
    """Half of a hemisphere 7 s late, its middle with a tenth of the flow.

    With a third of the noise: SVD takes the noise's own maximum for flow where there is hardly any, so that at the
    protocol's noise the rule rCBF < 30 % finds about a third of such a core.
    """
    slow, starved = ball(head, (45, -15, 20), 38), ball(head, (45, -15, 20), 22)
    tissue = head.grey + head.white
    cbf = (60 * head.grey + 25 * head.white) * np.where(starved, 0.10, np.where(slow, 0.7, 1.0))
    mtt = np.where(starved, 12.0, np.where(slow, 6.0, 4.0))
    flow = SimpleNamespace(
        cbf=cbf.astype(np.float32), mtt=mtt.astype(np.float32), delay=np.where(slow, 7.0, 0.6).astype(np.float32)
    )
    artery = ball(head, (-30, 5, -12), 4).astype(np.float32)
    vein = ball(head, (0, -98, 10), 6).astype(np.float32)
    scanner = replace(protocols.scanner("CT", "A"), noise_hu=1.0)
    series = imager(head, scanner, artery=artery, vein=vein).perfusion(flow, draw_bolus(3, scanner), LATE)
    brain = head.on_grid(head.brain & (tissue > 0.5)) > 0
    result = compute_maps(head.grid.volume(series, "CTP", 1.5), scanner.times, modality="CT", mask=brain)
    ratio, _ = relative_cbf(result.maps, result.mask)

    def dice(mask, true):
        true = (head.on_grid(true) > 0) & brain
        return 2 * (mask & true).sum() / (mask.sum() + true.sum())

    assert dice((result.maps["tmax"].array > 6) & brain, slow) > 0.85
    assert dice(ct_core(ratio, result.maps["tmax"]).array & brain, starved) > 0.75
    # What the method finds in the starved middle, by its own bias on noise-free curves.
    bias = reference_flow_share(draw_bolus(3, scanner), np.array([12.0, 4.0]), np.array([7.0, 0.6]), 48.0)
    middle = (head.on_grid(ball(head, (45, -15, 20), 14)) > 0) & brain & (head.on_grid(head.white) > 0.9)
    normal = (head.on_grid(head.mni[:, 0] < -15) > 0) & brain & (head.on_grid(head.white) > 0.9)
    found = result.maps["cbf"].array[middle].mean() / result.maps["cbf"].array[normal].mean()
    assert found == pytest.approx(0.10 * bias[0] / bias[1], abs=0.08)
