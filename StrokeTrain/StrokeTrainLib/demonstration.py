"""Train the small model that comes with the software, on simulated patients.

``python -m StrokeTrainLib.demonstration -o FOLDER`` makes the bundle ``demo-infarct`` again: a late-fusion U-Net (Debs
2021) on DWI and ADC that predicts the final infarct whatever the reperfusion.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from StrokePredictLib.case import StrokeCase
from StrokePredictLib.inference import prepare
from StrokePredictLib.io.output import staged_folder
from StrokePredictLib.models.card import Card, Channel, Network, Training
from StrokePredictLib.networks import create
from StrokePredictLib.phantom.patient import simulate_patient
from StrokePredictLib.preprocess.brain_mask import brain_mask
from StrokePredictLib.preprocess.sections import Sections

from .bundle_writer import write_bundle

#: Seeds of the three parts lie far from each other and from any that a user is likely to choose for a demonstration.
FIRST_SEED = {"train": 71_000_000, "validation": 72_000_000, "test": 73_000_000}
LESION, TISSUE, BACKGROUND = 0, 1, 2
NAME = "demo-infarct"


@dataclass
class Settings:
    """What can be chosen."""

    train: int = 100
    validation: int = 16
    test: int = 24
    epochs: int = 12
    batch: int = 12
    rate: float = 1e-3
    seed: int = 2026
    workers: int = 1


def card_for(settings: Settings, hashes: list[str], scores: dict[str, float | str]) -> Card:
    """Return the card of the demonstration model."""
    return Card(
        name=NAME,
        title="Predicted infarct (demonstration)",
        target="final-infarct",
        segment="infarct_predicted",
        network=Network(name="debs2021", options={"channels": 2, "fusion": "late"}, lesion_class=LESION),
        channels=[
            Channel(role="dwi", unit="a.u.", normalisation="brain-median", scale=4.0),
            Channel(role="adc", unit="10⁻⁶ mm²/s", normalisation="fixed", scale=3000.0),
        ],
        spacing_mm=(1.8, 1.8),
        matrix=(128, 128),
        threshold=0.5,
        demonstration=True,
        intended_use="Shows the way from images to a predicted infarct. Trained on simulated patients only: it knows "
        "nothing of real ones, of old infarcts, haemorrhage or artefacts.",
        licence="Apache-2.0",
        scores=scores,
        training=Training(
            data=f"{settings.train} simulated patients with middle cerebral artery occlusion "
            f"({settings.validation} more to choose the epoch); final infarct as it happened.",
            simulated=True,
            patients=settings.train,
            salt=NAME,
            patient_hashes=hashes,
            seed=settings.seed,
        ),
    )


def sections_of(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Simulate a patient; return inputs float32 ``(section, 2, y, x)`` and classes uint8 ``(section, y, x)``."""
    patient = simulate_patient(seed, perfusion=False)
    case = StrokeCase(f"phantom-{seed}", {role: patient.volumes[role] for role in ("dwi", "adc", "b0")})
    case.volumes["brain"] = brain_mask(case.volumes["b0"])
    card = card_for(Settings(), [], {})
    sections = Sections.around(case.volumes["brain"], card.spacing_mm, card.matrix)
    inputs = prepare(case, card, sections)
    brain = sections.bring(case.volumes["brain"], is_mask=True) > 0.5
    lesion = sections.bring(patient.truth["infarct"], is_mask=True) > 0.5
    classes = np.where(lesion & brain, LESION, np.where(brain, TISSUE, BACKGROUND)).astype(np.uint8)
    return inputs, classes


def collect(part: str, count: int, workers: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Simulate a part's patients in parallel."""
    seeds = [FIRST_SEED[part] + i for i in range(count)]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(sections_of, seeds, chunksize=2))


def train(settings: Settings, data: dict[str, list[tuple[np.ndarray, np.ndarray]]]) -> torch.nn.Module:
    """Train; return the network of the best validation epoch.

    Debs' recipe shortened for a demonstration: multi-class Dice with the lesion weighted 8 plus cross-entropy, Adam
    with a cosine rate; sections with lesion and half as many without, so that healthy sections are learnt too;
    mirroring and intensity jitter, which the paper does without.
    """
    from monai.losses import DiceCELoss

    generator = np.random.default_rng(settings.seed)
    torch.manual_seed(settings.seed)
    network = create("debs2021", channels=2, fusion="late")
    weight = torch.tensor([8.0, 1.0, 1.0])
    loss_of = DiceCELoss(softmax=True, to_onehot_y=True, batch=True, weight=weight / weight.mean())
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.epochs)
    inputs = np.concatenate([x for x, _ in data["train"]])
    classes = np.concatenate([y for _, y in data["train"]])
    with_lesion = np.flatnonzero((classes == LESION).any(axis=(1, 2)))
    without = np.setdiff1d(np.flatnonzero((classes == TISSUE).any(axis=(1, 2))), with_lesion)
    best, best_state = -1.0, network.state_dict()
    for epoch in range(settings.epochs):
        start = time.perf_counter()
        network.train()
        extra = generator.choice(without, min(len(without), len(with_lesion) // 2), replace=False)
        order = generator.permutation(np.concatenate([with_lesion, extra]))
        total = 0.0
        for first in range(0, len(order), settings.batch):
            chosen = order[first : first + settings.batch]
            x, y = _augment(inputs[chosen], classes[chosen], generator)
            optimiser.zero_grad()
            loss = loss_of(network(x), y)
            loss.backward()
            optimiser.step()
            total += loss.item() * len(chosen)
        schedule.step()
        dice = float(np.median(patient_dice(network, data["validation"])))
        print(f"epoch {epoch + 1}: loss {total / len(order):.4f}, validation Dice {dice:.3f}, "
              f"{time.perf_counter() - start:.0f} s", flush=True)  # fmt: skip
        if dice > best:
            best, best_state = dice, {key: value.clone() for key, value in network.state_dict().items()}
    network.load_state_dict(best_state)
    return network.eval()


def patient_dice(network: torch.nn.Module, data: list[tuple[np.ndarray, np.ndarray]]) -> list[float]:
    """Return one Dice coefficient a patient at probability 0.5."""
    network.eval()
    scores = []
    with torch.inference_mode():
        for x, y in data:
            found = network(torch.from_numpy(x)).softmax(1)[:, LESION].numpy() >= 0.5
            true = y == LESION
            scores.append(2.0 * (found & true).sum() / max(1, found.sum() + true.sum()))
    return scores


def _augment(x: np.ndarray, y: np.ndarray, generator: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    mirrored = generator.random(len(x)) < 0.5
    x, y = x.copy(), y.astype(np.int64)
    x[mirrored] = x[mirrored, ..., ::-1]
    y[mirrored] = y[mirrored, ..., ::-1]
    gain = generator.uniform(0.85, 1.15, size=(*x.shape[:2], 1, 1)).astype(np.float32)
    return torch.from_numpy(np.clip(x * gain, 0, 1)), torch.from_numpy(y[:, None])


def main() -> None:
    """Train, measure on the test patients, write the bundle."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    for name, value in vars(Settings()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    arguments = vars(parser.parse_args())
    output = arguments.pop("output")
    settings = Settings(**arguments)
    torch.set_num_threads(max(1, min(settings.workers, os.cpu_count() or 1)))
    data = {part: collect(part, getattr(settings, part), settings.workers) for part in FIRST_SEED}
    network = train(settings, data)
    scores = patient_dice(network, data["test"])
    seeds = [FIRST_SEED["train"] + i for i in range(settings.train)]
    hashes = [hashlib.sha256(f"{NAME}:phantom-{seed}".encode()).hexdigest()[:16] for seed in seeds]
    measured: dict[str, float | str] = {
        "median Dice": round(float(np.median(scores)), 3),
        "interquartile range": f"{np.percentile(scores, 25):.3f} to {np.percentile(scores, 75):.3f}",
        "measured on": f"{settings.test} further simulated patients",
    }
    print(measured)
    with staged_folder(output) as stage:
        write_bundle(stage, network, card_for(settings, hashes, measured), "0.1.0", "First version.")


if __name__ == "__main__":
    main()
