import numpy as np
import pytest

from StrokeTrainLib.statistics.agreement import bland_altman, lin_concordance

# Bland and Altman 1986: peak expiratory flow (L/min), first reading by a large and a mini Wright meter.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_concordance_of_the_published_example():
    # Steichen and Cox 1998 on these data: rho_c 0.943, Pearson 0.943, C_b 0.999.
    found = lin_concordance(WRIGHT, MINI)
    assert (found.rho.value, found.pearson, found.bias) == pytest.approx((0.943, 0.943, 0.999), abs=6e-4)
    assert found.words == "excellent"


def concordance(moments):
    mean_x, mean_y, var_x, var_y, covariance = moments
    return 2 * covariance / (var_x + var_y + (mean_x - mean_y) ** 2)


@pytest.mark.parametrize("shift", [0.0, 0.7, -1.5])
def test_interval_has_the_width_that_the_delta_method_gives(shift):
    rng = np.random.default_rng(4)
    x = rng.normal(size=40)
    y = 0.8 * x + shift + rng.normal(0, 0.5, 40)
    (a, c), (_, b) = np.cov(x, y, ddof=0)
    # Normal theory: covariances of the two means, and of the two variances and the covariance, times n.
    sigma = np.zeros((5, 5))
    sigma[:2, :2] = [[a, c], [c, b]]
    sigma[2:, 2:] = [[2 * a * a, 2 * c * c, 2 * a * c], [2 * c * c, 2 * b * b, 2 * b * c],
                     [2 * a * c, 2 * b * c, a * b + c * c]]  # fmt: skip
    moments = np.array([x.mean(), y.mean(), a, b, c])
    steps = 1e-6 * np.eye(5)
    gradient = np.array([(concordance(moments + h) - concordance(moments - h)) / 2e-6 for h in steps])
    value = concordance(moments)
    on_z_scale = np.sqrt(gradient @ sigma @ gradient / 38) / (1 - value**2)
    found = lin_concordance(x, y).rho
    assert found.value == pytest.approx(value)
    assert np.arctanh(found.high) - np.arctanh(found.low) == pytest.approx(2 * 1.959964 * on_z_scale, rel=1e-5)


def test_concordance_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covariance = np.array([[1.0, 0.8], [0.8, 1.5]])
    truth = 2 * 0.8 / (1 + 1.5 + 0.3**2)
    hits = 0
    for _ in range(1500):
        x, y = rng.multivariate_normal([0, 0.3], covariance, 60).T
        rho = lin_concordance(x, y).rho
        hits += rho.low <= truth <= rho.high
    assert hits / 1500 == pytest.approx(0.95, abs=0.02)


def test_concordance_of_cube_roots():
    cubes = [np.array(column, float) ** 3 for column in (WRIGHT, MINI)]
    assert lin_concordance(*cubes, cube_root=True).rho.value == pytest.approx(lin_concordance(WRIGHT, MINI).rho.value)


def test_bland_altman_of_the_published_example():
    found = bland_altman(WRIGHT, MINI, multiple=2)
    # The paper's limits are 2 SD from the bias.
    assert (found.bias.value, found.sd) == pytest.approx((-2.1, 38.8), abs=0.05)
    assert (found.lower.value, found.upper.value) == pytest.approx((-79.7, 75.5), abs=0.1)
    assert (found.bias.low, found.bias.high) == pytest.approx((-22.0, 17.8), abs=0.1)


def test_intervals_of_the_limits_equal_the_published_ones():
    # Bland and Altman 1999, section 2: 85 patients, mean difference -16.29, SD 19.61 mmHg; limits -54.7 and 22.1 with
    # intervals -61.9 to -47.5 and 14.9 to 29.3 (their standard error 1.71 SD/sqrt(n) is rounded).
    noise = np.random.default_rng(0).normal(size=85)
    difference = -16.29 + 19.61 * (noise - noise.mean()) / noise.std(ddof=1)
    found = bland_altman(120 + difference, np.full(85, 120.0))
    assert (found.lower.value, found.upper.value) == pytest.approx((-54.7, 22.1), abs=0.05)
    assert (found.lower.low, found.lower.high) == pytest.approx((-61.9, -47.5), abs=0.1)
    assert (found.upper.low, found.upper.high) == pytest.approx((14.9, 29.3), abs=0.15)


def test_a_difference_that_grows_with_size_is_noticed():
    size = np.linspace(5, 200, 40)
    rng = np.random.default_rng(2)
    assert bland_altman(size * 1.3 + rng.normal(0, 4, 40), size).slope_p < 0.001
    assert bland_altman(size + rng.normal(0, 4, 40), size).slope_p > 0.05


def test_what_cannot_be_had_is_said():
    assert "Fewer than two" in lin_concordance([1.0], [2.0]).rho.note
    assert "does not vary" in lin_concordance([1.0, 1.0, 1.0], [2.0, 3.0, 4.0]).rho.note
    assert np.isnan(lin_concordance([1.0, 2.0, 3.0], [1.0, 2.0, 4.0]).rho.low)
    perfect = lin_concordance([1, 2, 3, 4.0], [1, 2, 3, 4.0]).rho
    assert (perfect.value, perfect.low) == pytest.approx((1, 1))
    assert "Perfect" in perfect.note
    one = bland_altman([3.0], [1.0])
    assert (one.bias.value, one.n) == (2.0, 1)
    assert "no limits" in one.note
    assert np.isnan(bland_altman([], []).bias.value)
    assert "1 of 4 patients left out" in bland_altman([1, 2, np.nan, 3], [1, 2, 3, 4]).note
