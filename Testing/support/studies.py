"""A small made-up study: an ellipsoid brain with a lesion on the patient's left, on any grid."""

import numpy as np

from StrokePredictLib.case import StrokeCase
from StrokePredictLib.study import Study
from StrokePredictLib.volume import Volume

#: Voxel axes (x, y, z) of the grids under test, as columns in LPS, and the spacing of each.
GRIDS = {
    "LPS": (np.diag([1.0, 1.0, 1.0]), (4.0, 4.0, 6.0)),
    "RAS": (np.diag([-1.0, -1.0, 1.0]), (4.0, 4.0, 6.0)),
    "LAS": (np.diag([1.0, -1.0, 1.0]), (4.0, 4.0, 6.0)),  # left-handed
    "RPI": (np.diag([-1.0, 1.0, -1.0]), (4.0, 4.0, 6.0)),
    "sagittal PIR": (np.array([[0.0, 0, -1], [1, 0, 0], [0, -1, 0]]), (4.0, 4.0, 6.0)),
}


def rotation(degrees: tuple[float, float, float]) -> np.ndarray:
    """Rotation about x, then y, then z."""
    a, b, c = np.radians(degrees)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


GRIDS["oblique"] = (rotation((17.3, -8.1, 5.9)), (3.7, 3.9, 6.1))
GRIDS["oblique left-handed"] = (rotation((-12.7, 6.4, 9.3)) @ np.diag([1.0, -1.0, 1.0]), (3.9, 4.1, 5.7))

EXTENT_MM = (150.0, 180.0, 120.0)  # along L, P, S


def grid(name: str) -> Volume:
    """An empty volume on a grid that covers the made-up head, centred near (3, -7, 11) mm."""
    direction, spacing = GRIDS[name]
    spacing = np.array(spacing)
    extent = np.abs(direction.T) @ np.array(EXTENT_MM)
    size = np.ceil(extent / spacing).astype(int) + 2
    affine = np.eye(4)
    affine[:3, :3] = direction * spacing
    affine[:3, 3] = np.array([3.0, -7.0, 11.0]) - affine[:3, :3] @ ((size - 1) / 2.0)
    return Volume(np.zeros(size[::-1], np.float32), affine, name=name)


def positions(volume: Volume) -> np.ndarray:
    """LPS position of every voxel relative to the head's centre, (z, y, x, 3)."""
    k, j, i = np.indices(volume.shape)
    index = np.stack([i, j, k, np.ones_like(i)], axis=-1)
    return (index @ volume.affine.T)[..., :3] - np.array([3.0, -7.0, 11.0])


def ellipsoid(at: np.ndarray, centre: tuple[float, float, float], radii: tuple[float, float, float]) -> np.ndarray:
    """Mask of an ellipsoid in LPS mm."""
    return np.sum(((at - np.array(centre)) / np.array(radii)) ** 2, axis=-1) <= 1.0


def make_study(grid_name: str = "LPS", *, perfusion: bool = True, prediction: bool = True, truth: bool = True) -> Study:
    """A study with a left-sided lesion; values are smooth so that no voxel equals its mirror image."""
    empty = grid(grid_name)
    at = positions(empty)
    brain = ellipsoid(at, (0, 0, 0), (66, 82, 54))
    core = ellipsoid(at, (34, 4, 6), (13, 20, 15)) & brain
    hypo = ellipsoid(at, (36, 4, 8), (26, 44, 34)) & brain
    infarct = ellipsoid(at, (35, 4, 7), (18, 28, 22)) & brain
    fold = 1 + 0.15 * np.sin(at[..., 0] / 6) * np.cos(at[..., 1] / 7)
    images = {
        "b0": 900 * fold * brain + 80 * fold,
        "dwi": (300 * fold + 420 * core) * brain + 20,
        "adc": (820 * fold - 380 * core) * brain,
    }
    if perfusion:
        images["cbf"] = (48 * fold - 26 * hypo - 14 * core) * brain
        images["cbv"] = (3.4 * fold - 1.6 * core) * brain
        images["mtt"] = (4.5 * fold + 5 * hypo) * brain
        images["tmax"] = (1.4 * fold + 7 * hypo + 3 * core) * brain
    masks = {"brain": brain, "core_adc": core}
    if perfusion:
        masks |= {"hypoperfused_tmax": hypo, "penumbra": hypo & ~core}
    if prediction:
        masks["infarct_predicted"] = infarct
    case = StrokeCase("sub-0001", {r: empty.with_array(a.astype(np.float32)) for r, a in images.items()})
    case.simulated = True
    case.doubts = ["The b0 image was taken from the DWI file's first frame."]
    study = Study(case, {key: empty.with_array(mask) for key, mask in masks.items()})
    study.volumes = _volumes(study, perfusion)
    if perfusion:
        study.perfusion = _perfusion()
    if prediction:
        study.probabilities = {"infarct-general": empty.with_array((0.8 * infarct + 0.1 * hypo).astype(np.float32))}
        study.prediction = _prediction(study)
    if truth:
        study.truth = {"core_adc": 17.5, "hypoperfused_tmax": 160.25, "infarct_predicted": 44.0}
    study.provenance = {"software": "SlicerStrokeInfarct 0.1.0", "seed": 7, "python": "3.11"}
    return study


def _volumes(study: Study, perfusion: bool) -> dict:
    volume = {key: mask.voxel_ml * int(mask.array.sum()) for key, mask in study.masks.items()}
    volume.pop("infarct_predicted", None)
    core = volume["core_adc"]
    result = {
        "patient": "sub-0001", "modality": "MR", "simulated": True, "volumes_ml": volume, "core_source": "core_adc",
        "side": "left", "coverage": "The images cover the brain from 54 mm below to 54 mm above its centre.",
        "doubts": ["No time since onset was given."],
        "cleaning": [{"mask": "core_adc", "step": "islands < 0.2 mL removed", "parameters": {}, "removed_ml": 0.4}],
        "criteria": {
            "defuse3": {"title": "DEFUSE 3", "verdict": "not assessable", "items": [
                {"name": "Core < 70 mL", "value": f"{core:.1f} mL", "met": True},
                {"name": "6 to 16 h from onset", "value": "unknown", "met": None}]},
            "dawn": {"title": "DAWN", "verdict": "not met", "items": [
                {"name": "NIHSS ≥ 10", "value": "6", "met": False}]},
        },
        "parameters": {"adc_threshold": 620},
        "provenance": {"software": "SlicerStrokeInfarct 0.1.0",
                       "inputs": {"dwi": {"file": "dwi.nii.gz", "sha256": "0123456789abcdef" * 4}}},
    }  # fmt: skip
    if perfusion:
        hypo = volume["hypoperfused_tmax"]
        volume |= {"tmax_gt_4": hypo * 1.3, "tmax_gt_6": hypo, "tmax_gt_8": hypo * 0.6, "tmax_gt_10": hypo * 0.3}
        result["mismatch"] = {"volume_ml": hypo - core, "ratio": hypo / core}
        result["hir"] = 0.3
    return result


def _perfusion() -> dict:
    times = [1.5 * t for t in range(40)]
    curve = [12.0 * (t / 9) ** 3 * float(np.exp(3 * (1 - t / 9))) if t > 0 else 0.0 for t in times]
    return {
        "quality_passed": True, "method": "bsvd", "times": times,
        "aif": {"curve": curve}, "vof": {"curve": [0.0] * 3 + [1.4 * c for c in curve[:-3]]},
        "quality": [
            {"name": "bolus", "passed": True, "value": 12.0, "limit": 3.0, "sentence": "The bolus arrives in full."},
            {"name": "motion", "passed": False, "value": 2.4, "limit": 2.0, "sentence": "The head moved by 2.4 mm."}],
        "doubts": [], "provenance": {"interval_s": 1.5},
    }  # fmt: skip


def _prediction(study: Study) -> dict:
    mask = study.masks["infarct_predicted"]
    model = {
        "name": "infarct-general", "title": "Predicted infarct (demonstration)", "target": "final-infarct",
        "segment": "infarct_predicted",
        "demonstration": True, "sha256": "fedcba9876543210" * 4, "threshold": 0.5, "device": "cpu",
        "volume_ml": mask.voxel_ml * int(mask.array.sum()), "inputs": ["dwi", "adc"], "notes": [],
    }  # fmt: skip
    return {"patient": "sub-0001", "models": [model], "doubts": [], "provenance": {"seed": 7}}
