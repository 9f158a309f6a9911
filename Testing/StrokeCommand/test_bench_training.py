"""`stroke bench training` on next to nothing: what it gives, not how fast it is."""

import torch

from StrokeCommand.bench import BENCHMARKS
from StrokeCommand.benchmarks.training import Turns, made_entries, short_recipe


def test_engine_and_bare_loop_take_turns_on_the_same_steps(tmp_path):
    assert "training" in BENCHMARKS
    recipe = short_recipe("debs2021", augmented=True).model_copy(update={"matrix": (32, 32)})
    assert recipe.augmentation.enabled  # the paper has none: some is turned on
    entries = made_entries(tmp_path / "cohort", recipe, 2)
    turns = Turns(entries, recipe, "cpu")
    before = {key: value.clone() for key, value in turns.network.state_dict().items()}
    found = turns.run(tmp_path / "run", 3)
    assert {len(values) for values in turns.seconds.values()} == {3}
    assert found["steps"] == 2  # 24 sections, 12 at once
    assert found["ratio"] > 0
    assert found["engine_samples_per_s"] > 0
    assert (tmp_path / "run" / "last.pt").exists()
    assert any(not torch.equal(before[key], value) for key, value in turns.network.state_dict().items())
