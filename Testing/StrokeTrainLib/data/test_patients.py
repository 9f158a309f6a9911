"""A patient prepared for training is what a prediction would see, with the label beside it."""

import json
import os
import shutil

import nibabel
import numpy as np
import pytest
import torch
from support.small_cohort import AFFINE, SHAPE, write_cohort

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.inference.classify import prepare_series
from StrokePredictLib.inference.devices import Runner
from StrokePredictLib.inference.passes import one_pass
from StrokePredictLib.inference.prepare import prepare
from StrokePredictLib.io.load import load_case
from StrokePredictLib.preprocess.sections import Sections
from StrokePredictLib.volume import Volume
from StrokeTrainLib.cards import to_card
from StrokeTrainLib.cohort.index import index_cohort
from StrokeTrainLib.data import BACKGROUND, LESION, TISSUE, build_batches, prepare_patient
from StrokeTrainLib.data import patients as patients_module
from StrokeTrainLib.data.labels import core_by_cbv, what_happened
from StrokeTrainLib.recipes import load_recipe

#: The cohort's own voxels and field of view, so that nothing is interpolated.
OWN = {"matrix": "[32,48]", "spacing_mm": "[6,6]", "training.batch": "64"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("cohort"), 2)


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "cohort")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def recipe_of(name, **overrides):
    return load_recipe(name, OWN | overrides)


def patient_of(folder, number=0):
    return index_cohort(folder).patients[number]


def label_path(folder, name="sub-0001"):
    return folder / "derivatives" / name / "ses-02" / f"{name}_ses-02_lesion-msk.nii.gz"


def in_sections(array):
    """A file's array ``(x, y, z)`` in RAS as sections in LPS order."""
    return np.flip(array, (0, 1)).transpose(2, 1, 0)


class Catcher(torch.nn.Module):
    """Stands where the network stands in a prediction and keeps what it is given."""

    def __init__(self, sequence):
        super().__init__()
        self.seen, self.sequence = [], sequence

    def forward(self, x, *told):
        if x.device.type != "meta":
            self.seen.append(x.clone())
        return x[:, :, :1] if self.sequence else x[:, :1]


@pytest.mark.parametrize("name", ["debs2021", "yu2020", "alis2020", "fate", "baseline"])
def test_training_sees_what_a_prediction_sees(folder, cache, name):
    recipe, patient = recipe_of(name), patient_of(folder)
    case = load_case(folder, patient="sub-0001")
    card = to_card(recipe)
    sections = Sections.around(case.volumes["brain"], card.spacing_mm, card.matrix)
    network = Catcher(card.arrangement == "sequence")
    course = [0.0] * 14 if card.conditioned else None
    one_pass(network, prepare(case, card, sections), card, Runner(torch.device("cpu")), lambda f: None, course)
    seen = torch.cat(network.seen)
    entry = prepare_patient(patient, recipe, cache)
    everything = recipe_of(name, **{"sampling.validation": "brain"})
    (batch,) = build_batches([entry], everything, part="validation")
    assert torch.equal(batch.x["x"], seen)


def test_classes_are_the_files_own_voxels(folder, cache):
    entry = prepare_patient(
        patient_of(folder), recipe_of("alis2020", target="final-infarct", segment="infarct_predicted"), cache
    )
    lesion = in_sections(np.asarray(nibabel.load(label_path(folder)).dataobj)) > 0
    brain_file = folder / "derivatives/sub-0001/ses-01/sub-0001_ses-01_brain-msk.nii.gz"
    brain = in_sections(np.asarray(nibabel.load(brain_file).dataobj)) > 0
    found = np.array(entry.classes())
    for wanted, classes in ((lesion, [LESION]), (brain, [LESION, TISSUE])):
        assert sum(np.count_nonzero(found == label) for label in classes) == np.count_nonzero(wanted)
    # The sections are centred on the brain: find the shift, then every voxel must agree.
    expected = np.where(lesion, LESION, np.where(brain, TISSUE, BACKGROUND))
    for array in (found != BACKGROUND, expected != BACKGROUND):
        assert array.any()
    corner = [np.argwhere(array != BACKGROUND).min(axis=0) for array in (found, expected)]
    end = [np.argwhere(array != BACKGROUND).max(axis=0) + 1 for array in (found, expected)]
    crops = [
        array[tuple(map(slice, low, high))] for array, low, high in zip((found, expected), corner, end, strict=True)
    ]
    assert np.array_equal(*crops)
    assert entry.lesion_ml == pytest.approx(np.count_nonzero(lesion) * 6 * 6 * 8 / 1000)
    assert list(entry.lesion) == np.count_nonzero(found == LESION, axis=(1, 2)).tolist()


def test_prepared_once_and_anew_when_a_label_or_a_parameter_changes(folder, cache, monkeypatch):
    calls = []
    original = patients_module._prepare
    monkeypatch.setattr(patients_module, "_prepare", lambda *a: calls.append(1) or original(*a))
    recipe = recipe_of("debs2021")
    first = prepare_patient(patient_of(folder), recipe, cache)
    other_training = load_recipe("debs2021", OWN | {"optimiser.rate": "0.1", "training.epochs": "3"})
    assert prepare_patient(patient_of(folder), other_training, cache) == first
    assert len(calls) == 1
    prepare_patient(patient_of(folder), recipe_of("debs2021", **{"channels.1.normalisation": "fixed"}), cache)
    assert len(calls) == 2
    path = label_path(folder)
    told, image = path.stat(), nibabel.load(path)
    corrected = np.asarray(image.dataobj).copy()
    corrected[16, 18, 3] ^= 1
    nibabel.save(nibabel.Nifti1Image(corrected, image.affine), path)
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns + 1))
    again = prepare_patient(patient_of(folder), recipe, cache)
    assert len(calls) == 3
    assert again.folder != first.folder
    assert not np.array_equal(again.classes(), first.classes())
    assert np.array_equal(again.inputs(), first.inputs())


def test_an_entry_is_known_without_its_voxels(folder, cache):
    recipe = recipe_of("debs2021")
    entry = prepare_patient(patient_of(folder), recipe, cache)
    assert entry.inputs().shape == entry.shape
    assert isinstance(entry.inputs(), np.memmap)
    for name in ("inputs.npy", "classes.npy"):
        (entry.folder / name).unlink()
    again = prepare_patient(patient_of(folder), recipe, cache)
    assert again == entry
    assert again.has_lesion == tuple(count > 0 for count in entry.lesion)


def test_an_empty_lesion_is_a_patient_without_lesion_sections(folder, cache):
    image = nibabel.load(label_path(folder))
    nibabel.save(nibabel.Nifti1Image(np.zeros(SHAPE, np.uint8), image.affine), label_path(folder))
    entry = prepare_patient(patient_of(folder), recipe_of("debs2021"), cache)
    assert entry.lesion_ml == 0
    assert not any(entry.has_lesion)
    assert sum(entry.brain) > 0


def test_a_patient_without_label_is_refused_before_anything_is_read(folder, cache):
    label_path(folder).unlink()
    with pytest.raises(StrokeError, match=r"sub-0001: no outline of the final-infarct"):
        prepare_patient(patient_of(folder), recipe_of("debs2021"), cache)
    assert not cache.exists()


@pytest.mark.parametrize("headers", [True, False])
def test_a_label_on_another_grid_is_refused_in_clear_words(folder, cache, headers):
    coarse = np.ones((16, 18, 6), np.uint8)
    nibabel.save(nibabel.Nifti1Image(coarse, np.diag([12.0, 12.0, 8.0, 1.0])), label_path(folder))
    patient = index_cohort(folder, headers=headers).patients[0]
    with pytest.raises(StrokeError) as caught:
        prepare_patient(patient, recipe_of("debs2021"), cache)
    message = str(caught.value)
    for words in (label_path(folder).name, "lies on another grid", "sub-0001", "by nearest neighbour"):
        assert words in message
    assert "\n" not in message
    assert not list(cache.rglob("entry.json"))


def test_three_reads_are_one_truth_by_majority(folder, cache):
    generator = np.random.default_rng(4)
    brain = (
        np.asarray(nibabel.load(folder / "derivatives/sub-0001/ses-01/sub-0001_ses-01_brain-msk.nii.gz").dataobj) > 0
    )
    reads = [(generator.random(SHAPE) < 0.5) & brain for _ in range(3)]
    label_path(folder).unlink()
    for number, read in enumerate(reads, start=1):
        path = label_path(folder).with_name(f"sub-0001_ses-02_rater-A_read-{number}_lesion-msk.nii.gz")
        nibabel.save(nibabel.Nifti1Image(read.astype(np.uint8), AFFINE), path)
    entry = prepare_patient(patient_of(folder), recipe_of("debs2021"), cache)
    voted = (reads[0] & reads[1]) | (reads[0] & reads[2]) | (reads[1] & reads[2])
    assert sum(entry.lesion) == np.count_nonzero(voted)


def test_a_missing_image_names_itself(folder, cache):
    next(folder.rglob("*sub-0001*tmax*")).unlink()
    with pytest.raises(StrokeError, match="Tmax missing"):
        prepare_patient(patient_of(folder), recipe_of("debs2021"), cache)
    entry = prepare_patient(patient_of(folder), recipe_of("fate"), cache)
    assert entry.present == ("dwi", "adc", "cbf", "cbv", "mtt")


def test_maps_come_from_the_series_once_for_all_recipes(folder, cache, monkeypatch):
    """The perfusion pipeline itself is tested elsewhere; here a stand-in gives maps of known values."""
    for path in folder.rglob("*perfusion-maps*/*sub-0001*"):
        path.unlink()
    series = folder / "raw_data/sub-0001/ses-01/sub-0001_ses-01_pwi.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.full((*SHAPE, 12), 100, np.int16), AFFINE), series)
    series.with_name("sub-0001_ses-01_pwi.json").write_text(json.dumps({"RepetitionTime": 1.5, "EchoTime": 0.03}))
    calls = []

    def stand_in(image, times, **more):
        calls.append((len(times), times[1], more["modality"], more["echo_time"]))
        values = {"tmax": 7.0, "cbf": 30.0, "cbv": 3.0, "mtt": 6.0, "ttp": 20.0}
        generator = np.random.default_rng(0)
        maps = {
            role: Volume((value * generator.uniform(0.5, 1.5, image.shape)).astype(np.float32), image.affine, name=role)
            for role, value in values.items()
        }
        return type("Result", (), {"maps": maps, "summary": {}})

    monkeypatch.setattr("StrokePredictLib.perfusion.pipeline.compute_maps", stand_in)
    debs = prepare_patient(patient_of(folder), recipe_of("debs2021"), cache)
    fate = prepare_patient(patient_of(folder), recipe_of("fate"), cache)
    assert calls == [(12, 1.5, "MR", 0.03)]
    assert set(debs.present) == {"dwi", "adc", "tmax", "cbv", "cbf"}
    assert set(fate.present) == {"dwi", "adc", "tmax", "cbf", "cbv", "mtt"}
    inside = np.array(fate.inputs())[:, 2][np.array(fate.classes()) != BACKGROUND]
    assert np.median(inside) == pytest.approx(7.0 / 20.0, rel=0.1)


@pytest.mark.parametrize(
    ("facts", "state", "onset"),
    [
        ({"reperfusion_yu": "major", "mtici": "0", "onset_to_imaging_min": 90.0}, "complete", 90.0),
        ({"mtici": "2a", "onset_to_imaging_min": 90.0, "onset_known": False}, "partial", None),
        ({"mtici": "2b"}, "complete", None),
        ({"reperfusion_debs": "no"}, "none", None),
        ({"reperfusion_rate": 50.0}, "partial", None),
        ({}, "unknown", None),
    ],
)
def test_what_happened(folder, facts, state, onset):
    from dataclasses import replace

    course = what_happened(replace(patient_of(folder), facts=facts))
    assert (course.reperfusion, course.onset_min) == (state, onset)


def test_a_conditioned_network_is_told_what_later_maps_show(folder, cache):
    """Two thirds of the tissue with Tmax > 6 s are gone at 24 h: Yu's partial reperfusion; the table says nothing."""
    path = folder / "derivatives/sub-0001/ses-01/perfusion-maps/sub-0001_ses-01_tmax.nii.gz"
    block = np.full(SHAPE, 1.0, np.float32)
    block[6:15, 12:24, 1:5] = 9.0
    nibabel.save(nibabel.Nifti1Image(block, AFFINE), path)
    block[9:15] = 1.0
    later = folder / "derivatives/sub-0001/ses-24h/perfusion-maps/sub-0001_ses-24h_tmax.nii.gz"
    later.parent.mkdir(parents=True)
    nibabel.save(nibabel.Nifti1Image(block, AFFINE), later)
    (folder / "participants.tsv").write_text("participant_id\nsub-0001\n")
    patient = patient_of(folder)
    assert "tmax" in patient.later["24h"]
    assert prepare_patient(patient, recipe_of("fate"), cache).course.reperfusion == "partial"
    assert prepare_patient(patient, recipe_of("debs2021"), cache).course.reperfusion == "unknown"
    later.write_bytes(b"no image")
    assert prepare_patient(patient_of(folder), recipe_of("fate"), cache).course.reperfusion == "unknown"


@pytest.fixture
def ct_folder(made, folder):
    """CT perfusion series of 20 frames at 2 s that drift and brighten, and a CBV map."""
    for name in ("sub-0001", "sub-0002"):
        for path in (folder / "raw_data" / name).rglob("*.nii.gz"):
            path.unlink()
        x, y, _ = np.indices(SHAPE)
        t = np.arange(20.0)
        bolus = 20 * np.exp(-((t - 9) ** 2) / 12)
        brain = (np.hypot((x - 16) / 12.5, (y - 18) / 15) < 1)[..., None]
        noise = np.random.default_rng(len(name)).normal(0, 2, (*SHAPE, 20))
        values = np.where(brain, 35 + bolus + 0.1 * x[..., None] + noise, -1000)
        path = folder / "raw_data" / name / "ses-01" / f"{name}_ses-01_ctp.nii.gz"
        nibabel.save(nibabel.Nifti1Image(values.astype(np.float32), AFFINE), path)
        path.with_name(f"{name}_ses-01_ctp.json").write_text(json.dumps({"RepetitionTime": 2.0}))
    return folder


def test_a_series_is_prepared_as_a_classifier_sees_it_and_labelled_by_its_cbv(ct_folder, cache, monkeypatch):
    monkeypatch.setattr(patients_module, "propose_sections", lambda brain, sections, count: [2, 4])
    recipe = recipe_of("mittermeier2022", **{"view.times": "16", "matrix": "[32,64]"})
    patient = patient_of(ct_folder)
    entry = prepare_patient(patient, recipe, cache)
    case = load_case(ct_folder, patient="sub-0001", with_series=True)
    card = to_card(recipe)
    sections = Sections.around(case.volumes["brain"], card.spacing_mm, card.matrix)
    expected = prepare_series(case.volumes["ctp"], card, sections, [2, 4], 2.0 * np.arange(20))
    (batch,) = build_batches([entry], recipe, part="validation", label_above=0.5)
    assert batch.x["x"].shape == (1, 2, 16, 64, 32)
    assert np.allclose(batch.x["x"][0], expected, atol=1e-4)
    cbv = np.asarray(nibabel.load(next(ct_folder.rglob("*sub-0001*cbv*"))).dataobj)
    core = (cbv > 0) & (cbv < 1.14)
    assert entry.lesion_ml == pytest.approx(np.count_nonzero(core) * 6 * 6 * 8 / 1000)
    outlined = prepare_patient(patient, recipe_of("mittermeier2022", label="outline", matrix="[32,64]"), cache)
    core = np.asarray(nibabel.load(next(ct_folder.rglob("*sub-0001*core-msk*"))).dataobj)
    assert outlined.lesion_ml == pytest.approx(np.count_nonzero(core) * 6 * 6 * 8 / 1000)


def test_core_by_cbv_is_strictly_between_nought_and_the_limit(folder):
    case = load_case(folder, patient="sub-0001")
    values = np.where(case.volumes["brain"].array, 3.0, 1.0).astype(np.float32)
    inside = np.argwhere(case.volumes["brain"].array)
    for place, value in zip(inside[:4], (0.0, 0.5, 1.14, -1.0), strict=True):
        values[tuple(place)] = value
    case.volumes["cbv"] = case.volumes["cbv"].with_array(values)
    assert np.argwhere(core_by_cbv(case).array).tolist() == [inside[1].tolist()]
