"""The demonstration models that come with the software: which cohort, recipe, changes and test patients made each.

Numbers of patients and all seeds were fixed before anything was trained. `StrokeTrainLib.demonstration` makes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: Of splits, weights and batches of every model.
SEED = 2026


@dataclass(frozen=True)
class SimulatedCohort:
    """A cohort as ``stroke phantom`` makes it.

    Attributes
    ----------
    cases, seed : int
        How many patients, and where their randomness starts.
    population, modality : str
        Who they are, and what is imaged first.
    perfusion : bool
        Whether there is a perfusion series, of which maps are computed.
    """

    cases: int
    seed: int
    population: str
    modality: str = "MR"
    perfusion: bool = True

    def commands(self, folder: str) -> list[str]:
        """Return the command lines that make it in a folder."""
        options = f"--cases {self.cases} --seed {self.seed} --population {self.population} --vendor both"
        options += "" if self.modality == "MR" else f" --modality {self.modality}"
        options += "" if self.perfusion else " --no-perfusion"
        return [f"stroke phantom -o {folder} {options}", *([f"stroke cohort maps {folder}"] if self.perfusion else [])]


#: The seeds of those who test were chosen by who they are, never by images or outcome: the first from 7201 (MR), 7401
#: (DWI) and 8201 (CT) on with 20 patients of either vendor who may test, and of the MR ones at least 12 of 48 not
#: reperfused. Of the 48, 8 are in the role ``train-only`` and do not test.
COHORTS = {
    "train-mr": SimulatedCohort(120, 120, "debs2021"),
    "train-dwi": SimulatedCohort(200, 7106, "dwi", perfusion=False),
    "train-ct": SimulatedCohort(80, 7102, "lvo", "CT"),
    "unseen-mr": SimulatedCohort(48, 7290, "debs2021"),
    "unseen-dwi": SimulatedCohort(40, 7403, "dwi", perfusion=False),
    "unseen-ct": SimulatedCohort(40, 8216, "lvo", "CT"),
}
#: Of every cohort that tests, how many patients may.
TESTED = 40


@dataclass(frozen=True)
class Demonstration:
    """A model that comes with the software.

    Attributes
    ----------
    name, title : str
        As its card has them.
    recipe : str
        By which it is trained.
    data, unseen : str
        Names of `COHORTS`: who trains, and who tests it.
    values : mapping
        Of the recipe, as ``--set`` takes them.
    shows : str
        What it is for, one sentence.
    reduced : str
        What is smaller than in the paper, for a machine with two cores.
    """

    name: str
    title: str
    recipe: str
    data: str
    unseen: str
    values: Mapping[str, str] = field(default_factory=dict)
    shows: str = ""
    reduced: str = ""

    def command(self, data: str, run: str) -> str:
        """Return the command line that trains it."""
        changed = " ".join(f'--set "{path}={value}"' for path, value in self.values.items())
        return f"stroke train {self.recipe} --data {data} -o {run} --folds 1 --seed {SEED} --threads 1 {changed}"


_SMALL = {"preset": "small", "matrix": "[80, 80]", "spacing_mm": "[2.6, 2.6]"}
_DEBS = _SMALL | {
    "network.options.filters": "4",
    "network.options.dropout": "0.2",
    "optimiser.rate": "2e-3",
    "training.epochs": "16",
    "training.patience": "none",
    "split.calibration": "0.2",
}
_DEBS_REDUCED = (
    "4 filters at the first level instead of 8, sections of 80×80 pixels of 2.6 mm instead of 192×192 of 1.25 mm, "
    "16 epochs (24 for those who did not reperfuse) instead of 500"
)
_SECTIONS = {"sampling.train": "lesion", "sampling.healthy": "0.5", "sampling.validation": "lesion"}

_ALL = (
    Demonstration(
        "infarct-general", "Predicted infarct (general)", "debs2021", "train-mr", "unseen-mr", _DEBS,
        "Predicts the final infarct from DWI, ADC, Tmax, CBV and CBF whatever the reperfusion (Debs 2021).",
        _DEBS_REDUCED,
    ),
    Demonstration(
        "infarct-reperfused", "Predicted infarct if reperfused", "debs2021-reperfused", "train-mr", "unseen-mr", _DEBS,
        "Predicts the final infarct from DWI, ADC, Tmax, CBV and CBF if the artery is reopened (Debs 2021).",
        _DEBS_REDUCED,
    ),
    Demonstration(
        "infarct-nonreperfused", "Predicted infarct if not reperfused", "debs2021-not-reperfused", "train-mr",
        "unseen-mr",
        # Few may do anything but train: 9 make the volume interval, the least for 90 %.
        _DEBS | {"split.calibration": "0.45", "training.epochs": "24"},
        "Predicts the final infarct from DWI, ADC, Tmax, CBV and CBF if the artery stays closed (Debs 2021).",
        _DEBS_REDUCED,
    ),
    Demonstration(
        "infarct-attention", "Predicted infarct (attention U-Net)", "yu2020", "train-mr", "unseen-mr",
        _SMALL | _SECTIONS | {
            "training.epochs": "10", "training.patience": "none", "split.calibration": "0.2",
            "segment": "infarct_predicted_attention",
        },
        "Predicts the final infarct from DWI, ADC, Tmax, MTT, CBF and CBV whatever the reperfusion (Yu 2020).",
        "8 filters at the first level instead of 32, sections of 80×80 pixels of 2.6 mm, sections with lesion and half "
        "as many without",
    ),
    Demonstration(
        "core-dwi", "Core (network on DWI)", "alis2020", "train-dwi", "unseen-dwi",
        _SMALL | {"network.options.filters": "6", "training.epochs": "8", "optimiser.rate": "1e-3"},
        "Segments the acute core on DWI and ADC (Alis 2020).",
        "6 filters at the first level instead of 16, sections of 80×80 pixels of 2.6 mm instead of 224×224",
    ),
    Demonstration(
        "core-volume-ctp", "Large core on CT perfusion", "mittermeier2022", "train-ct", "unseen-ct",
        {
            "preset": "small", "network.external_features": "false", "network.options.freeze": "false",
            "network.options.filters": "8", "network.options.batch_norm": "true", "network.options.dropout": "0.1",
            "channels.0.normalisation": "enhancement", "sampling.normalise_by": "patient", "initialisation": "torch",
            "optimiser.name": "adamw", "optimiser.rate": "5e-4", "optimiser.weight_decay": "0.05",
            "schedule.name": "cosine", "training.batch": "8", "training.clip": "1.0",
            "augmentation.mirror": "0.5", "augmentation.flip": "0", "augmentation.rotation_deg": "5",
            "augmentation.shift_px": "1", "augmentation.probability": "0.5", "label": "outline",
            "training.epochs": "40", "training.patience": "none",
        },
        "Says how likely the core on a CT perfusion series is large (Mittermeier 2022).",
        "the feature extractor is narrow (8 filters in its first convolution instead of VGG19's 64), has batch "
        "normalisation and is trained from scratch instead of on ImageNet, 32×32 pixels of 6.25 mm instead of 128×128, "
        "16 time points 3 s apart instead of 32, contrast inside the brain instead of the whole image, one "
        "network instead of ten",
    ),
    Demonstration(
        "fate", "Predicted infarct by course of events", "fate", "train-mr", "unseen-mr",
        _SMALL | _SECTIONS | {"training.epochs": "12", "split.calibration": "0.2"},
        "Predicts the final infarct for any course of events: when, and how completely, the artery is reopened.",
        "8 filters at the first level instead of 16, sections of 80×80 pixels of 2.6 mm instead of 128×128 of 1.8 mm",
    ),
)  # fmt: skip

#: Every demonstration model by name.
MODELS = {model.name: model for model in _ALL}
