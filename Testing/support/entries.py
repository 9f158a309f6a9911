"""Prepared patients made up on disk: for tests of batches, without images."""

import json

import numpy as np

from StrokePredictLib.networks.course import Course
from StrokeTrainLib.data import BACKGROUND, LESION, TISSUE
from StrokeTrainLib.data.entry import CLASSES, INPUTS, META, read_entry


def make_entry(folder, name, *, sections=6, channels=5, size=(48, 48), lesion=(2, 3), seed=0, course=None, **more):
    """Write and read an entry with lesion in some sections; its inputs carry their place: no two are alike."""
    generator = np.random.default_rng([seed, *name.encode()])
    inputs = generator.random((sections, channels, *size), dtype=np.float32)
    classes = np.full((sections, *size), BACKGROUND, np.uint8)
    classes[:, 4:-4, 4:-4] = TISSUE
    for section in lesion:
        row, column = generator.integers(8, min(size) - 14, 2)
        classes[section, row : row + 6, column : column + 6] = LESION
    place = folder / name
    place.mkdir(parents=True)
    np.save(place / INPUTS, inputs)
    np.save(place / CLASSES, classes)
    record = {
        "id": name, "shape": inputs.shape, "lesion": np.count_nonzero(classes == LESION, axis=(1, 2)).tolist(),
        "brain": np.count_nonzero(classes != BACKGROUND, axis=(1, 2)).tolist(), "lesion_ml": 10.0, "present": [],
        "modality": "MR", "mean": float(inputs.mean()), "deviation": float(inputs.std()), "notes": [],
    }  # fmt: skip
    (place / META).write_text(json.dumps(record | more))
    return read_entry(place, course or Course())


def make_entries(folder, count=5, **more):
    """Several of them, with stacks of unequal length."""
    return [make_entry(folder, f"sub-{n:04d}", sections=5 + n % 3, **more) for n in range(count)]
