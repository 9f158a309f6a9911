"""Small cohorts on disk for tests: real headers, few voxels."""

from __future__ import annotations

import nibabel
import numpy as np

SHAPE = (8, 8, 3)


def save(path, data=1, *, shape=SHAPE, spacing=(2, 2, 5), shift=0.0, seed=0):
    """Write a small NIfTI: a number everywhere, or an array; ``seed`` above 0 adds noise, so that files differ."""
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.broadcast_to(np.asarray(data, dtype=np.float32), shape).copy()
    if seed:
        array += np.random.default_rng(seed).random(shape, dtype=np.float32)
    affine = np.diag([*spacing, 1.0])
    affine[0, 3] = shift
    nibabel.save(nibabel.Nifti1Image(array, affine), path)
    return path


def lesion(voxels):
    """Return a mask with as many voxels set."""
    mask = np.zeros(SHAPE, dtype=np.float32)
    mask.ravel()[:voxels] = 1
    return mask


def bids_patient(root, name, *, seed, voxels=5, maps=("tmax",)):
    """Write a patient of DESIGN's layout with a label; each seed gives other images."""
    first, second = f"{name}/ses-01/{name}_ses-01", f"{name}/ses-02/{name}_ses-02"
    for n, role in enumerate(("dwi", "b0", "adc")):
        save(root / f"raw_data/{first}_{role}.nii.gz", seed=10 * seed + n + 1)
    for n, role in enumerate(maps):
        save(root / f"derivatives/{name}/ses-01/perfusion-maps/{name}_ses-01_{role}.nii.gz", seed=10 * seed + 4 + n)
    save(root / f"raw_data/{second}_flair.nii.gz", seed=10 * seed + 9)
    if voxels is not None:
        save(root / f"derivatives/{second}_lesion-msk.nii.gz", lesion(voxels))


def write_table(root, *rows):
    """Write participants.tsv of dicts; the first gives the columns."""
    lines = ["\t".join(rows[0]), *("\t".join(str(row.get(c, "")) for c in rows[0]) for row in rows)]
    (root / "participants.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
