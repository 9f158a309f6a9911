"""A simulated patient as a whole."""

import numpy as np
import pytest

from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.patient import simulate_patient


def centroid_lps(volume):
    index = np.argwhere(volume.array > 0).mean(axis=0)[::-1]
    return volume.affine[:3, :3] @ index + volume.affine[:3, 3]


@pytest.fixture(scope="module")
def several(small_grid):
    return [simulate_patient(seed, grid=small_grid, perfusion=False) for seed in range(24)]


def test_same_seed_same_bits(small_grid):
    first, second = (simulate_patient(7, grid=small_grid) for _ in range(2))
    assert first.facts == second.facts
    for a, b in ((first.volumes, second.volumes), (first.truth, second.truth)):
        assert a.keys() == b.keys()
        for name in a:
            assert a[name].array.tobytes() == b[name].array.tobytes(), name
            assert a[name].affine.tobytes() == b[name].affine.tobytes()


def test_without_perfusion_all_else_is_the_same(small_grid):
    whole, quick = simulate_patient(3, grid=small_grid), simulate_patient(3, grid=small_grid, perfusion=False)
    assert set(whole.volumes) - set(quick.volumes) <= {"pwi", "pwi_24h"}
    assert "pwi" in whole.volumes
    assert whole.facts == quick.facts
    for name in quick.volumes:
        assert np.array_equal(whole.volumes[name].array, quick.volumes[name].array), name
    for name in quick.truth:
        assert np.array_equal(whole.truth[name].array, quick.truth[name].array), name


def test_seeds_differ(several):
    stacks = np.stack([p.truth["gm"].array for p in several[:4]])
    assert all(not np.array_equal(stacks[0], other) for other in stacks[1:])
    assert {p.facts["side"] for p in several} == {"left", "right"}
    assert len({p.facts["occlusion"] for p in several}) >= 4
    assert len({p.facts["onset_to_imaging_min"] for p in several}) > 15


def test_central_volume_theorem(patient):
    cbf, cbv, mtt = (patient.truth[k].array for k in ("cbf", "cbv", "mtt"))
    tissue = mtt > 0
    assert cbv[tissue] == pytest.approx(cbf[tissue] * mtt[tissue] / 60.0, rel=1e-5, abs=1e-6)
    assert not cbf[~tissue].any()


def test_healthy_perfusion_is_textbook(patient):
    truth = {k: v.array for k, v in patient.truth.items()}
    healthy = (truth["tmax_ref"] > 0) & (truth["tmax_ref"] < 3)
    grey, white = healthy & (truth["gm"] > 0.9), healthy & (truth["wm"] > 0.9)
    for mask, cbf, cbv in ((grey, 60, 4), (white, 22, 2)):
        assert np.median(truth["cbf"][mask]) == pytest.approx(cbf, rel=0.2)
        assert np.median(truth["cbv"][mask]) == pytest.approx(cbv, rel=0.15)
    assert np.percentile(truth["delay"][healthy], 50) < 1.5


def test_penumbra_dilates_and_core_collapses(several):
    """CBV over its healthy value: above 1 where delay is moderate, below where flow has all but gone."""
    ratios = {"penumbra": [], "depth": []}
    for p in several:
        truth = {k: v.array for k, v in p.truth.items()}
        normal = 4 * truth["gm"] + 2 * truth["wm"]
        solid = truth["gm"] + truth["wm"] > 0.6
        share = truth["cbv"] / np.maximum(normal, 1e-3)
        flow = truth["cbf"] / np.maximum(60 * truth["gm"] + 22 * truth["wm"], 1e-3)
        ratios["penumbra"] += share[solid & (flow > 0.3) & (flow < 0.5)].tolist()
        ratios["depth"] += share[solid & (flow < 0.11)].tolist()
    assert np.median(ratios["penumbra"]) > 1.15
    assert np.median(ratios["depth"]) < 0.8


def test_first_patient_is_typical(patient):
    ml = patient.facts["ml"]
    assert 20 <= ml["core"] <= 40
    assert 80 <= ml["tmax_over_6"] <= 145
    assert ml["tmax_over_6"] >= 1.8 * ml["core"]
    assert ml["core"] < ml["infarct_reperfused"] < ml["infarct"] < ml["infarct_not_reperfused"]
    voxel_ml = 1.8 * 1.8 * 6.0 / 1000
    assert ml["core"] == pytest.approx(np.count_nonzero(patient.truth["core"].array) * voxel_ml, rel=1e-6)


def test_adc_rule_finds_the_core(patient):
    brain = patient.truth["brain"].array > 0
    adc, core = patient.volumes["adc"].array, patient.truth["core"].array > 0
    found = brain & (adc > 0) & (adc < 620)
    assert 2 * np.count_nonzero(found & core) / (found.sum() + core.sum()) >= 0.65


def test_volumes_over_patients_are_those_of_large_vessel_occlusions(several):
    core = np.array([p.facts["ml"]["core"] for p in several])
    slow = np.array([p.facts["ml"]["tmax_over_6"] for p in several])
    lasting = np.array([p.facts["ml"]["infarct_not_reperfused"] for p in several])
    brain = np.array([p.facts["ml"]["brain"] for p in several])
    assert 10 <= np.median(core) <= 45
    assert core.max() < 250
    # within the quartiles of Yu et al. 2020, Table 1
    assert 67 <= np.median(slow) <= 168
    assert slow.max() < 420  # less than a third of the brain
    assert np.mean(slow - core >= 15) >= 0.7
    assert np.mean(lasting <= 1.15 * slow + 5) >= 0.9  # collaterals may fail later
    assert np.all((brain > 1250) & (brain < 2050))


def test_deficit_follows_volume_and_facts_are_plausible(several):
    facts = [p.facts for p in several]
    nihss = np.array([f["nihss"] for f in facts])
    slow = np.array([f["ml"]["tmax_over_6"] for f in facts])
    assert np.corrcoef(nihss, slow)[0, 1] > 0.5
    assert nihss.min() >= 1
    assert nihss.max() <= 42
    for f in facts:
        assert (f["onset_to_imaging_min"] is None) == (f["onset_known"] == "no")
        assert 40 <= (f["onset_to_imaging_min"] or 100) <= 1100
        if f["mtici"] is not None:
            assert f["reperfusion_debs"] == ("yes" if f["mtici"] in ("2b", "2c", "3") else "no")
        assert (f["imaging_to_reperfusion_min"] is None) == (f["mtici"] in ("0", None))
        rate = f["reperfusion_rate"]
        expected = "unknown" if rate is None else "minimal" if rate <= 20 else "major" if rate >= 80 else "partial"
        assert f["reperfusion_yu"] == expected


def test_lesion_lies_on_the_named_side(several):
    for p in several:
        lesion = p.truth["infarct_not_reperfused"]
        if np.count_nonzero(lesion.array) < 20:
            continue
        x = centroid_lps(lesion)[0]  # LPS: the patient's left is positive
        assert (x > 10) == (p.facts["side"] == "left")
        assert abs(x) > 10


@pytest.mark.parametrize("pitch", [0.0, 12.0])
def test_the_patient_stays_in_place_on_any_grid(patient, pitch):
    grid = Grid(shape=(20, 96, 80), spacing=(2.4, 2.2, 7.0), pitch_deg=pitch, centre_lps=(3.0, 15.0, 14.0))
    other = simulate_patient(0, grid=grid, perfusion=False)
    assert other.volumes["b0"].shape == (20, 96, 80)
    assert np.allclose(other.volumes["b0"].spacing, (2.4, 2.2, 7.0), atol=1e-5)
    for name in ("infarct_not_reperfused", "csf"):
        assert np.linalg.norm(centroid_lps(other.truth[name]) - centroid_lps(patient.truth[name])) < 4.0
    ratio = other.facts["ml"]["tmax_over_6"] / patient.facts["ml"]["tmax_over_6"]
    assert ratio == pytest.approx(1.0, abs=0.1)


def test_all_images_share_one_grid_that_holds_the_head(patient):
    reference = patient.volumes["b0"]
    assert reference.shape == (24, 128, 128)
    for volume in (*patient.volumes.values(), *patient.truth.values()):
        assert reference.same_grid(volume)
    brain = patient.truth["brain"].array > 0
    # Sections may leave out the lowest cerebellum, as on patients; in plane there is air all around.
    assert not brain[:, :4].any()
    assert not brain[:, -4:].any()
    assert not brain[:, :, :4].any()
    assert not brain[:, :, -4:].any()
    assert patient.volumes["pwi"].array.shape[0] == len(patient.times) == len(patient.true_aif) == 55


def test_progress_runs_from_nothing_to_all(small_grid):
    said = []
    simulate_patient(1, grid=small_grid, progress=lambda fraction, message: said.append((fraction, message)))
    fractions = [f for f, _ in said]
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0
    assert fractions == sorted(fractions)
    assert all(message for _, message in said)
