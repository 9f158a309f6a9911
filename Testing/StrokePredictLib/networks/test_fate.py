"""Our conditioned network: it listens, it can do without, and its encoder need not be asked twice."""

from itertools import pairwise

import pytest
import torch

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.networks import create
from StrokePredictLib.networks.course import IMAGES, LENGTH, Course

ALL = set(IMAGES)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return create("fate", filters=4).eval()


def told(present=ALL, modality="MR", **course):
    return torch.tensor([Course(**course).vector(present, modality)])


@pytest.fixture(scope="module")
def x():
    return torch.randn(1, 30, 32, 32, generator=torch.Generator().manual_seed(1))


def test_what_it_is_told_is_written_out():
    assert LENGTH == 14
    vector = Course("complete", 360).vector({"dwi", "tmax"}, "CT")
    assert vector == [0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0.25, 1]
    assert Course().vector(ALL) == [1, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0]
    assert Course("none", 5000).vector(ALL)[-2:] == [1, 1]  # later than a day counts as a day


@pytest.mark.parametrize(
    ("degree", "weights"), [(0.0, [1, 0, 0, 0]), (0.25, [0.5, 0.5, 0, 0]), (0.5, [0, 1, 0, 0]), (1.0, [0, 0, 1, 0])]
)
def test_the_slider_mixes_neighbouring_states(degree, weights):
    assert Course(degree).vector(ALL)[8:12] == pytest.approx(weights)


@pytest.mark.parametrize(
    "wrong", [{"reperfusion": "maybe"}, {"reperfusion": 1.5}, {"onset_min": -1}, {"onset_min": float("nan")}]
)
def test_nonsense_is_refused(wrong):
    with pytest.raises(StrokeError):
        Course(**wrong)


def test_a_missing_image_is_masked_out_whatever_lies_in_its_channels(network, x):
    """Channels of a missing image may hold anything; the same images said to be there count."""
    here = ALL - {"cbf", "cbv", "mtt"}
    other = x.clone().reshape(1, 5, 6, 32, 32)
    other[:, :, 3:] = 99
    other = other.flatten(1, 2)
    with torch.no_grad():
        assert torch.equal(network(x, told(here)), network(other, told(here)))
        assert not torch.allclose(network(x, told()), network(other, told()))


def test_absent_is_not_the_same_as_zero(network, x):
    """A Tmax map of zeros says that nothing is late; no Tmax map says nothing."""
    zero = x.clone().reshape(1, 5, 6, 32, 32)
    zero[:, :, 2] = 0
    zero = zero.flatten(1, 2)
    with torch.no_grad():
        assert not torch.allclose(network(zero, told()), network(zero, told(ALL - {"tmax"})))


@pytest.mark.parametrize(
    "other",
    [{"reperfusion": "none"}, {"reperfusion": "partial"}, {"reperfusion": "complete"}, {"onset_min": 60},
     {"onset_min": 0}, {"modality": "CT"}],
)  # fmt: skip
def test_it_listens_to_every_circumstance(network, x, other):
    with torch.no_grad():
        assert (network(x, told()) - network(x, told(**other))).abs().max() > 1e-5


def test_the_encoder_knows_nothing_of_the_course_so_that_its_features_serve_all(network, x):
    with torch.no_grad():
        features = network.encode(x, told(reperfusion="none"))
        again = network.encode(x, told(reperfusion="complete", onset_min=90))
        assert all(torch.equal(a, b) for a, b in zip(features, again, strict=True))
        course = told(reperfusion="complete", onset_min=90)
        assert torch.equal(network.decode(features, course), network(x, course))


def test_film_is_the_formula(network):
    film = network.films[0]
    x, c = torch.randn(2, 32, 4, 4), torch.randn(2, LENGTH)
    both = c @ film.to_both.weight.T + film.to_both.bias
    gamma, beta = both[:, :32, None, None], both[:, 32:, None, None]
    assert torch.allclose(film(x, c), x * (1 + gamma) + beta, atol=1e-6)


def test_every_parameter_learns():
    network = create("fate", filters=4)
    network(torch.randn(2, 30, 32, 32), told().expand(2, -1)).square().mean().backward()
    assert all(p.grad is not None for p in network.parameters())


def test_course_imports_nothing_heavy():
    import subprocess
    import sys
    from pathlib import Path

    import StrokePredictLib

    code = "import sys; from StrokePredictLib.networks.course import Course; print('torch' in sys.modules)"
    place = Path(StrokePredictLib.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=place, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_parameter_count_written_out():
    from StrokePredictLib.networks import trainable_parameters

    def block(a, b):
        return (9 * a * b + b) + (9 * b * b + b) + 4 * b

    def gate(f):
        return 2 * (f * f // 2 + f // 2 + f) + f // 2 + 1 + 2

    widths = [16, 32, 64, 128, 256]
    encoder = sum(block(a, b) for a, b in pairwise([30, *widths])) + sum(2 * w * (8 + 1) for w in widths)
    up = sum(4 * 2 * b * b + b + gate(b) + block(2 * b, b) + 2 * b * (14 + 1) for b in widths[:-1])
    assert trainable_parameters(create("fate")) == encoder + 2 * 256 * (14 + 1) + up + 17 == 1_994_357
