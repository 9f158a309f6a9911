"""When memory runs out: less at once, then results elsewhere, then the CPU; said each time, never another answer."""

import numpy as np
import pytest
import torch
from support.models import function_bundle, make_card, make_case, make_network

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.inference import predict
from StrokePredictLib.inference.devices import Runner, batch_size, feature_bytes, out_of_memory


class Hungry(torch.nn.Module):
    """Computes like `Fixed`, but runs out of a GPU's memory with more than `most` sections at once."""

    def __init__(self, most, times=10**9, error=torch.cuda.OutOfMemoryError):
        super().__init__()
        self.most, self.times, self.error, self.batches = most, times, error, []

    def forward(self, x):
        self.batches.append(len(x))
        if len(x) > self.most and self.times > 0:
            self.times -= 1
            raise self.error("CUDA out of memory. Tried to allocate 20.00 MiB")
        return x[:, :1] * 2 - 1


@pytest.fixture(scope="module")
def case():
    return make_case(shape=(12, 40, 36), roles=("dwi", "adc"))


def test_smaller_batches_until_it_fits_with_the_same_answer(case, tmp_path):
    card = make_card("debs2021")
    plenty = predict(case, function_bundle(tmp_path / "a", card, Hungry(99)), device="cpu")
    tight = Hungry(2)
    found = predict(case, function_bundle(tmp_path / "b", card, tight), device="cpu")
    assert max(tight.batches) == 8
    assert tight.batches[-5:] == [2] * 5  # ten sections with brain
    assert np.array_equal(found.probability.array, plenty.probability.array)
    assert found.record["batch"] == 2
    assert any("went on with 2 sections" in note for note in found.record["notes"])
    assert plenty.record["notes"] == []


def test_the_cpus_own_end_is_an_error_in_words(case, tmp_path):
    with pytest.raises(StrokeError, match="computer's memory is not enough"):
        predict(case, function_bundle(tmp_path, make_card("debs2021"), Hungry(0)), device="cpu")


class Pretended(Runner):
    """A GPU that is none: the same steps, with the CPU's arithmetic."""

    def _pass(self, network, inputs, told, call):
        real, self.device = self.device, torch.device("cpu")
        self.seen.append((real.type, self.batch, self.results_on_device))
        try:
            return super()._pass(network, inputs, told, call)
        finally:
            self.device = real


def test_a_gpu_gives_up_batch_then_results_then_itself():
    runner = Pretended(torch.device("cuda"))
    runner.seen = []
    network, x = Hungry(0, times=4), torch.rand(6, 2, 16, 16)
    found = runner.run(network, (x,), lambda f: None, size=lambda: 4)
    steps = [("cuda", 4, True), ("cuda", 2, True), ("cuda", 1, True), ("cuda", 1, False), ("cpu", 4, False)]
    assert runner.seen == steps
    assert torch.equal(found, x[:, :1] * 2 - 1)
    assert [note.split("; ")[1] for note in runner.record()["notes"]] == [
        "went on with 2 sections at once.", "went on with 1 sections at once.",
        "results were kept in the computer's memory.", "the prediction ran on the CPU.",
    ]  # fmt: skip
    assert runner.record()["device"] == "cpu"


def test_which_errors_mean_memory():
    assert out_of_memory(torch.cuda.OutOfMemoryError("x"))
    assert out_of_memory(MemoryError())
    assert out_of_memory(RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"))
    assert out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not out_of_memory(ValueError("out of memory"))


def test_another_error_is_not_swallowed(case, tmp_path):
    class Wrong(torch.nn.Module):
        def forward(self, x):
            raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        predict(case, function_bundle(tmp_path, make_card("debs2021"), Wrong()), device="cpu")


def test_feature_bytes_are_counted_without_computing():
    network = torch.nn.Sequential(torch.nn.Conv2d(2, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2))
    item = (torch.zeros(1, 2, 32, 32),)
    assert feature_bytes(network, item) == 4 * (8 * 32 * 32 + 8 * 32 * 32 + 8 * 16 * 16)
    assert network[0].weight.device.type == "cpu"  # the real one was left alone
    assert not network[0]._forward_hooks


def test_larger_sections_make_smaller_batches():
    network, cpu = make_network("debs2021"), torch.device("cpu")
    small = batch_size(network, (torch.zeros(1, 2, 128, 128),), cpu)
    large = batch_size(network, (torch.zeros(1, 2, 1024, 1024),), cpu)
    assert 8 >= small > large >= 1
