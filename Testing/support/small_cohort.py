"""A cohort of small made-up patients in DESIGN's layout, written in a second: for tests of training."""

import json

import nibabel
import numpy as np

SHAPE = (32, 36, 6)  # x, y, z
AFFINE = np.diag([6.0, 6.0, 8.0, 1.0])
HEALTHY = {"dwi": 100.0, "adc": 800.0, "b0": 300.0, "tmax": 2.0, "cbf": 50.0, "cbv": 4.0, "mtt": 5.0}
INFARCTED = {"dwi": 220.0, "adc": 450.0, "b0": 330.0, "tmax": 9.0, "cbf": 12.0, "cbv": 1.5, "mtt": 9.0}


def write_cohort(folder, patients=8, *, first=0, roles=tuple(HEALTHY), simulated=True, seed=3, lesion=True, people=""):
    """Write the cohort; ``lesion`` may be a function of the patient's number, ``people`` makes a column ``person``."""
    rows = ["participant_id\tage\tmtici\treperfusion_debs\tvendor" + ("\tperson" if people else "")]
    for number in range(first, first + patients):
        name = f"sub-{number + 1:04d}"
        _write_patient(folder, name, np.random.default_rng([seed, number]), roles,
                       lesion(number) if callable(lesion) else lesion)  # fmt: skip
        rows.append(f"{name}\t{60 + number}\t{'3' if number % 2 else '0'}\t{'yes' if number % 2 else 'no'}\tA")
        rows[-1] += f"\t{people}-{number}" if people else ""
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n")
    said = {"Name": "made up", "BIDSVersion": "1.9.0"}
    if simulated:
        said |= {"Simulated": True}
    (folder / "dataset_description.json").write_text(json.dumps(said))
    return folder


def _write_patient(folder, name, generator, roles, lesion):
    x, y, z = np.indices(SHAPE)
    brain = np.hypot((x - 16) / 12.5, (y - 18) / 15) < 1
    centre = generator.uniform((8, 12, 1.5), (24, 24, 4.5))
    radius = generator.uniform(2.5, 5.0)
    disc = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + 3 * (z - centre[2]) ** 2) < radius
    infarct = disc & brain & bool(lesion)
    raw = folder / "raw_data" / name / "ses-01"
    derived = folder / "derivatives" / name
    for role in roles:
        values = np.where(infarct, INFARCTED[role], HEALTHY[role]) * generator.uniform(0.85, 1.15, SHAPE) * brain
        maps = role in ("tmax", "cbf", "cbv", "mtt")
        place = derived / "ses-01" / "perfusion-maps" if maps else raw
        _save(place / f"{name}_ses-01_{role}.nii.gz", values.astype(np.float32))
    _save(derived / "ses-01" / f"{name}_ses-01_brain-msk.nii.gz", brain.astype(np.uint8))
    _save(derived / "ses-02" / f"{name}_ses-02_lesion-msk.nii.gz", infarct.astype(np.uint8))
    _save(derived / "ses-01" / f"{name}_ses-01_core-msk.nii.gz", (infarct & (radius > 3)).astype(np.uint8))


def _save(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(data, AFFINE), path)


#: A recipe's values so small that an epoch takes a second; for ``--set``.
SMALL = {
    "matrix": "[32,32]",
    "spacing_mm": "[6.5,6.5]",
    "training.batch": "6",
    "optimiser.rate": "0.003",
    "split.calibration": "0.2",
    "sampling.validation": "brain",
}
