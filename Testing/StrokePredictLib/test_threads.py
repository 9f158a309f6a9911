"""How many threads a process may use."""

import os

import pytest
import torch

from StrokePredictLib import threads


def test_what_somebody_set_counts(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads.available_threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "5,2")
    assert threads.available_threads() == 5


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system ties no process to cores")
def test_the_cores_that_the_process_may_use(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "_granted", lambda: None)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3, 5})
    assert threads.available_threads() == 3
    monkeypatch.setattr(threads, "_granted", lambda: 2)
    assert threads.available_threads() == 2


@pytest.mark.parametrize(
    ("text", "cores"), [("150000 100000", 2), ("max 100000", None), ("400000 100000\n", 4), ("", None)]
)
def test_what_a_container_grants(tmp_path, text, cores):
    (tmp_path / "cpu.max").write_text(text)
    assert threads._granted(tmp_path / "cpu.max") == cores
    assert threads._granted(tmp_path / "absent") is None


def test_torch_is_limited(monkeypatch):
    before = torch.get_num_threads()
    try:
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        assert threads.limit_threads() == 1
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
