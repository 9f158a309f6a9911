"""A finished training run as its files, without any training: bundles of untrained networks, made-up predictions."""

import hashlib
import json

import numpy as np
from scipy import ndimage

from StrokePredictLib.io.images import read_image, write_image
from StrokePredictLib.io.output import staged_folder
from StrokePredictLib.models.bundle import open_bundle
from StrokePredictLib.networks import create
from StrokePredictLib.volume import Volume
from StrokeTrainLib.bundle_writer import write_bundle
from StrokeTrainLib.cards import to_card
from StrokeTrainLib.cohort.index import index_cohort
from StrokeTrainLib.cohort.splits import make_splits
from StrokeTrainLib.cohort.votes import truth
from StrokeTrainLib.recipes import load_recipe
from StrokeTrainLib.training.identity import hashes
from StrokeTrainLib.training.plan import fingerprint

SALT = "made-up"


def write_model(folder, recipe, seen=(), *, seed=1, simulated=True, **card):
    """Write a bundle of an untrained network that says it was trained on some patients."""
    import torch

    torch.manual_seed(seed)
    network = create(recipe.network.name, **recipe.network.options)
    made = to_card(
        recipe, data="made up", simulated=simulated, patients=len(seen), salt=SALT,
        patient_hashes=hashes(seen, SALT), seed=seed, **card,
    )  # fmt: skip
    with staged_folder(folder) as stage:
        write_bundle(stage, [network], made, "1.0.0", "made up")
    return open_bundle(folder)


def made_up_probability(true, generator):
    """Return a probability map that resembles a lesion: blurred, shifted by a voxel or two, noisy."""
    moved = ndimage.shift(true.array.astype(np.float32), (0, *generator.integers(-2, 3, 2)), order=0)
    level = generator.uniform(0.35, 0.7)
    values = ndimage.gaussian_filter(moved, (0.4, 1.0, 1.0)) + generator.normal(0, 0.12, true.shape) + 0.5 - level
    return true.with_array(np.clip(values, 0, 1).astype(np.float32), name="made up")


def write_prediction(place, bundle, probability):
    """Write a patient's prediction as `stroke predict` names it."""
    name, threshold = bundle.card.name, bundle.card.threshold
    place.mkdir(parents=True, exist_ok=True)
    write_image(place / f"prob_{name}.nii.gz", probability)
    mask = probability.with_array(probability.array >= threshold)
    write_image(place / f"mask_{name}.nii.gz", mask)
    record = {"patient": place.name, "models": [{"name": name, "sha256": bundle.sha256, "threshold": threshold}]}
    (place / "prediction.json").write_text(json.dumps(record | {"classifications": []}))


def write_run(folder, data, recipe="debs2021-early", *, folds=2, calibration=0.0, seed=5):
    """Write the run of a recipe on a cohort; returns the splits."""
    recipe, patients = load_recipe(recipe), list(index_cohort(data))
    splits = make_splits(patients, f"{folds}-fold", seed, stratify=(), calibration=calibration)
    known = {patient.id: patient for patient in patients}
    _write_facts(folder, data, recipe, splits, patients)
    for number, fold in enumerate(splits.folds, 1):
        place = folder / f"fold-{number}"
        seen = [known[name] for name in (*fold.train, *fold.validation)]
        bundle = write_model(place / "bundle", recipe, seen, seed=number)
        for name in fold.test:
            digest = int(hashlib.sha256(f"{seed}{name}".encode()).hexdigest()[:8], 16)
            true = truth(known[name], recipe.target).mask
            write_prediction(
                place / "predictions" / name, bundle, made_up_probability(true, np.random.default_rng(digest))
            )
        (place / "scores.json").write_text(json.dumps({"fold": number, "label_above": None, "patients": {}}))
    return splits


def _write_facts(folder, data, recipe, splits, patients):
    folder.mkdir(parents=True)
    (folder / "recipe.json").write_text(recipe.model_dump_json())
    splits.save(folder / "splits.json")
    flow = {"assessed": len(patients), "excluded": [], "included": len(patients), "groups": {}}
    facts = {
        "format": 1, "data": str(data), "seed": 5, "salt": SALT, "simulated": True, "init": None, "notes": [],
        "unusable": {}, "selection": {"flow": flow, "excluded": []},
        "files": {patient.id: fingerprint(patient) for patient in patients},
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(facts))


def read(path):
    """Return an image as a bool array with its voxel's volume in mL and spacing (z, y, x)."""
    volume: Volume = read_image(path, series=False, may_be_empty=True)
    return volume.array > 0.5, volume.voxel_ml, volume.spacing[::-1]
