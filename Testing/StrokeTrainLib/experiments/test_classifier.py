"""The core classifier's experiment on small made-up CT patients, an external cohort included."""

import json

import nibabel
import numpy as np
import pytest
import torch
from support.small_cohort import AFFINE, SHAPE, write_cohort

from StrokeTrainLib.experiments.run import run_experiment
from StrokeTrainLib.experiments.setting import Setting


def write_ct(root, patients, seed):
    """Write patients with a CT perfusion series whose bolus is smaller where the blood volume is."""
    root.mkdir()
    write_cohort(root, patients, seed=seed, roles=("cbv", "tmax"))
    rng = np.random.default_rng(seed)
    times = 2.0 * np.arange(24)
    bolus = np.exp(-(((times - 18) / 6) ** 2))
    for number in range(patients):
        name = f"sub-{number + 1:04d}"
        path = root / f"derivatives/{name}/ses-01/perfusion-maps/{name}_ses-01_cbv.nii.gz"
        cbv = nibabel.load(path).get_fdata()
        brain = cbv > 0
        cbv = np.where(cbv < 2, 0.5, cbv) * brain  # below 1.14 mL/100 g in the core
        nibabel.save(nibabel.Nifti1Image(cbv.astype(np.float32), AFFINE), path)
        series = 35 + 3 * cbv[..., None] * bolus + rng.normal(0, 1, (*SHAPE, len(times)))
        image = nibabel.Nifti1Image(np.where(brain[..., None], series, -1000).astype(np.float32), AFFINE)
        folder = root / f"raw_data/{name}/ses-01"
        folder.mkdir(parents=True)
        nibabel.save(image, folder / f"{name}_ses-01_ctp.nii.gz")
        (folder / f"{name}_ses-01_ctp.json").write_text(json.dumps({"RepetitionTime": 2.0, "Modality": "CT"}))
    return root


@pytest.mark.slow
def test_folds_paths_and_an_external_cohort(tmp_path):
    before = torch.get_num_threads()
    cohort, other = write_ct(tmp_path / "ct", 12, 3), write_ct(tmp_path / "other", 6, 9)
    # Two of the other cohort's patients are the first one's under another name: they must not test it.
    for name, twin in (("sub-0005", "sub-0001"), ("sub-0006", "sub-0002")):
        for source in cohort.rglob(f"{twin}_ses-01_*.nii.gz"):
            place = other / str(source.relative_to(cohort)).replace(twin, name)
            place.write_bytes(source.read_bytes())
    setting = Setting(
        cohort, tmp_path / "out", quick=True, folds=2, device="cpu", workers=1, external=other,
        values={"training.epochs": "1"}, cache=tmp_path / "cache",
    )  # fmt: skip
    result = run_experiment("mittermeier-cv", setting)
    torch.set_num_threads(before)
    first, second = result["tables"]
    assert second["lines"][1]["cells"][0].endswith("[2 folds]")
    told = " ".join(result["notes"])
    assert "External cohort other: 4 patients" in told
    assert "their images are in the training cohort: sub-0005, sub-0006" in told
    limits = [fold["label_above"] for fold in _scores(setting)]
    assert f"{min(limits):.1f} to {max(limits):.1f} mL" in told
    assert first["lines"][1]["source"] == "ours"


def _scores(setting):
    folder = setting.output / "runs" / "both"
    return [json.loads((folder / f"fold-{number}" / "scores.json").read_text()) for number in (1, 2)]
