"""The same masks on a GPU as on the CPU. Runs where there is one."""

import numpy as np
import pytest
import torch
from support.models import KINDS, MadeBundle, make_card, make_case

from StrokePredictLib.inference import predict

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "mittermeier2022"])
def test_masks_agree(tmp_path, kind):
    case = make_case()
    bundle = MadeBundle(tmp_path, make_card(kind), "0" * 64)
    here, there = (predict(case, bundle, device=device) for device in ("cpu", "cuda"))
    assert there.record["device"] == "cuda"
    assert there.record["precision"] == "float16 autocast"
    assert there.record["notes"] == []
    # Untrained probabilities crowd together: a threshold in their middle is the hardest question.
    inside = case.volumes["brain"].array
    level = np.median(here.probability.array[inside])
    spread = np.abs(here.probability.array - level)[inside] > 0.002  # float16 keeps about three digits
    masks = [(p.probability.array >= level)[inside][spread] for p in (here, there)]
    assert 2 * (masks[0] & masks[1]).sum() / max(1, masks[0].sum() + masks[1].sum()) >= 0.999
