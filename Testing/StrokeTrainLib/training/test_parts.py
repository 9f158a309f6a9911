"""What the engine is made of, each part alone."""

import json
import signal
import threading

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, roc_auc_score
from support.training import SmallBatch

from StrokePredictLib.models.card import Training
from StrokeTrainLib.cohort.table import Patient
from StrokeTrainLib.evaluation.lineage import Lineage, refusal
from StrokeTrainLib.training.identity import hashes, seen
from StrokeTrainLib.training.seeds import derived_seed
from StrokeTrainLib.training.silence import is_silent
from StrokeTrainLib.training.status import Log, Status, read_log
from StrokeTrainLib.training.stop import stoppable
from StrokeTrainLib.training.telling import Teller, in_words
from StrokeTrainLib.training.validation import Tally, lesion_probability


def test_the_dice_is_of_whole_patients_whatever_the_batches():
    generator = np.random.default_rng(0)
    logits = torch.from_numpy(generator.normal(size=(9, 1, 8, 8)).astype(np.float32))
    y = torch.from_numpy(generator.integers(0, 3, (9, 8, 8)).astype(np.uint8))
    y[7:] = 1  # patient C has no lesion …
    logits[7:] = -9.0  # … and none is found
    ids = ["A"] * 4 + ["B"] * 3 + ["C"] * 2
    expected = []
    for patient in "AB":
        chosen = [i for i, name in enumerate(ids) if name == patient]
        found = (logits[chosen, 0].sigmoid() >= 0.4).flatten().numpy()
        expected.append(f1_score((y[chosen] == 0).flatten().numpy(), found))
    for sizes in ([9], [2, 5, 2]):
        tally, start = Tally("dice", 0.4), 0
        for size in sizes:
            part = slice(start, start + size)
            tally.add(torch.tensor(0.5), logits[part], SmallBatch({}, y[part], ids[part]))
            start += size
        assert tally.figures()["score"] == pytest.approx(np.mean([*expected, 1.0]), abs=1e-6)
        assert tally.figures()["loss"] == pytest.approx(0.5)


def test_sections_that_only_fill_up_count_nowhere():
    y = torch.full((1, 2, 4, 4), 1, dtype=torch.uint8)
    y[0, 0, :2], y[0, 1] = 0, 255
    logits = torch.full((1, 2, 1, 4, 4), 5.0)
    tally = Tally("dice", 0.5)
    tally.add(torch.tensor(0.0), logits, SmallBatch({}, y, ["A"]))
    assert tally.figures()["score"] == pytest.approx(2 * 8 / (16 + 8))


def test_three_classes_give_the_lesions_softmax():
    logits = torch.tensor([[2.0, 1.0, 0.0]]).reshape(1, 3, 1, 1)
    assert lesion_probability(logits).item() == pytest.approx(np.e**2 / (np.e**2 + np.e + 1), abs=1e-6)


def test_the_area_under_the_curve_with_ties():
    generator = np.random.default_rng(3)
    scores, classes = generator.integers(0, 5, 40) / 5, generator.integers(0, 2, 40)
    tally = Tally("auc", 0.5)
    for part in (slice(0, 13), slice(13, 40)):
        logits = torch.logit(torch.tensor(scores[part], dtype=torch.float64), eps=1e-6)[:, None]
        batch = SmallBatch({}, torch.tensor(classes[part], dtype=torch.float32)[:, None], ["x"] * len(scores[part]))
        tally.add(torch.tensor(1.0), logits, batch)
    assert tally.figures()["score"] == pytest.approx(roc_auc_score(classes, scores))


def test_a_rank_without_items_counts_nothing():
    tally = Tally("loss", 0.5)
    y = torch.ones((2, 4, 4), dtype=torch.uint8)
    tally.add(torch.tensor(3.0), torch.zeros(2, 1, 4, 4), SmallBatch({}, y, ["A", "B"]))
    tally.add(torch.tensor(99.0), torch.zeros(2, 1, 4, 4), SmallBatch({}, y, ["A", "B"], share=0.0))
    assert tally.figures() == {"loss": 3.0, "score": -3.0, "lesions": 0, "answered": 0}


def test_who_has_a_lesion_and_in_whom_anything_is_predicted():
    y = torch.ones((5, 4, 4), dtype=torch.uint8)
    y[:3, 0, 0] = 0  # a lesion in A (both sections) and B, none in C and D
    logits = torch.full((5, 1, 4, 4), -9.0)
    logits[1, 0, 3, 3] = logits[3, 0, 1, 1] = 9.0  # A is answered, at a wrong place; so is C, who has no lesion
    tally = Tally("dice", 0.5)
    tally.add(torch.tensor(1.0), logits, SmallBatch({}, y, ["A", "A", "B", "C", "D"]))
    found = tally.figures()
    assert (found["lesions"], found["answered"]) == (2, 1)
    assert not is_silent(found)
    silent = Tally("loss", 0.5)
    silent.add(torch.tensor(1.0), logits - 20, SmallBatch({}, y, ["A", "A", "B", "C", "D"]))
    assert is_silent(silent.figures())
    healthy = Tally("dice", 0.5)  # an empty answer is right where nobody has a lesion
    healthy.add(torch.tensor(1.0), logits - 20, SmallBatch({}, torch.ones_like(y), ["A", "A", "B", "C", "D"]))
    assert not is_silent(healthy.figures())
    assert healthy.figures()["score"] == 1.0


def test_seeds_differ_at_every_place_and_never_change():
    places = [(fold, epoch, rank) for fold in range(1, 6) for epoch in range(1, 40) for rank in range(4)]
    assert len({derived_seed(7, *place) for place in places}) == len(places)
    # numpy promises that SeedSequence stays as it is
    assert derived_seed(0, 1) == int(np.random.SeedSequence([0, 1]).generate_state(1, np.uint64)[0] >> 1)


def test_the_status_is_whole_at_every_moment(tmp_path):
    status, stop, bad = Status(tmp_path / "status.json"), threading.Event(), []
    status.write()

    def read():
        while not stop.is_set():
            try:
                json.loads((tmp_path / "status.json").read_text())
            except ValueError as error:
                bad.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for epoch in range(60):
        status.update(epoch=epoch, message="x" * 5000)
    stop.set()
    reader.join()
    assert bad == []
    assert json.loads((tmp_path / "status.json").read_text())["epoch"] == 59


def test_what_is_trained_again_stands_once_in_the_log(tmp_path):
    log = Log(tmp_path / "log.jsonl")
    for epoch in (1, 2, 3):
        log("epoch", epoch=epoch)
    with (tmp_path / "log.jsonl").open("a") as stream:
        stream.write('{"time": "cut sho')
    log.forget_after(2)
    log("epoch", epoch=3)
    assert [line["epoch"] for line in read_log(tmp_path / "log.jsonl")] == [1, 2, 3]


def test_the_time_left_counts_all_folds(tmp_path):
    teller = Teller(Status(None), Log(None), folds=3, epochs=10)
    teller.begin_fold(2, None)
    for epoch in (1, 2, 3, 4):
        teller.epoch({"epoch": epoch, "seconds": 5.0})
    # 6 epochs of this fold and 10 of the last
    assert teller._left(4) == pytest.approx(16 * 5.0)
    assert [in_words(s) for s in (30, 600, 7200)] == ["30 s", "10 min", "2.0 h"]


def test_a_model_knows_whom_it_has_seen(tmp_path):
    patients = [Patient(f"sub-{i}", tmp_path, "bids", {}, person="anna" if i > 2 else "") for i in range(5)]
    training = Training(
        data="", simulated=False, patients=2, salt="pepper", seed=0,
        patient_hashes=hashes([patients[1], patients[3]], "pepper"),
    )  # fmt: skip
    card = type("Card", (), {"training": training})
    # 4 is another record of the same person as 3
    assert [p.id for p in seen(card, patients)] == ["sub-1", "sub-3", "sub-4"]
    assert not any("sub-" in text or "anna" in text for text in training.patient_hashes)


def test_who_was_imaged_is_known_to_a_model_that_began_on_simulated_people(tmp_path):
    """And nobody is taken for somebody simulated of the same name, or of the same name in another seed's cohort."""
    imaged = [Patient(f"sub-{i}", tmp_path, "bids", {}) for i in range(3)]
    simulated = [Patient(f"sub-{i}", tmp_path, "bids", {}, simulated=True, person=f"seed-1-{i}") for i in range(3)]
    others = [Patient(f"sub-{i}", tmp_path, "bids", {}, simulated=True, person=f"seed-2-{i}") for i in range(3)]
    training = Training(
        data="", simulated=True, patients=2, salt="pepper", seed=0,
        patient_hashes=hashes([simulated[0], imaged[1]], "pepper"),
    )  # fmt: skip
    card = type("Card", (), {"training": training, "name": "m"})
    assert seen(card, [*imaged, *simulated, *others]) == [imaged[1], simulated[0]]
    bundle = type("Bundle", (), {"card": card})
    said = [refusal(bundle, Lineage(), p, "final-infarct") for p in (*imaged, *simulated, *others)]
    assert [bool(words) for words in said] == [False, True, False, True, False, False, False, False, False]


def test_signals_are_as_before_afterwards():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), stoppable(lambda: None):
        signal.raise_signal(signal.SIGTERM)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


class Telling:
    """A file that asks this process to stop while it is being written."""

    def __init__(self, path):
        self.stream, self.parts = path.open("wb"), 0

    def write(self, part):
        self.parts += 1
        if self.parts == 5:
            signal.raise_signal(signal.SIGTERM)
        return self.stream.write(part)

    def flush(self):
        self.stream.flush()


def test_a_stop_that_a_library_turns_into_another_error_is_a_stop(tmp_path):
    """torch.save makes a RuntimeError of it, which would read as a full disk."""
    content = {str(i): torch.zeros(1000) for i in range(50)}
    with pytest.raises(KeyboardInterrupt) as caught, stoppable(lambda: None):
        torch.save(content, Telling(tmp_path / "a.pt"))
    assert isinstance(caught.value.__cause__, RuntimeError)
    with pytest.raises(ValueError, match="mine"), stoppable(lambda: None):
        raise ValueError("mine")
