"""A trained network to a MONAI bundle with our card."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from StrokePredictLib.case import ROLES
from StrokePredictLib.models.bundle import METADATA, write_sums
from StrokePredictLib.models.card import Card, Channel
from StrokePredictLib.networks import NETWORKS
from StrokePredictLib.networks.vgg19 import FILE as VGG19_FILE
from StrokePredictLib.study import DEMONSTRATION, NOT_CLINICAL

if TYPE_CHECKING:
    from torch import nn


def write_bundle(
    folder: Path,
    networks: nn.Module | Sequence[nn.Module],
    card: Card,
    version: str,
    changes: str,
    *,
    half: bool = False,
) -> None:
    """Write a bundle into an empty folder.

    Parameters
    ----------
    folder : Path
        Empty; stage it (`StrokePredictLib.io.output.staged_folder`) so that it is whole or absent.
    networks : torch.nn.Module, or several
        With the trained weights; as many as the card names weight files. Image features that the card says lie
        elsewhere are left out.
    card : Card
        What the model says of itself.
    version, changes : str
        The bundle's version and what is new in it.
    half : bool
        Weights of half precision, half as large on disk; they are computed with in single precision all the same.
        Running statistics of normalisation layers, which can exceed its range, stay as they are.
    """
    from safetensors.torch import save_file

    networks = list(networks) if isinstance(networks, Sequence) else [networks]
    for name in ("configs", "models", "docs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for network, name in zip(networks, card.weights, strict=True):
        state = {key: tensor.detach().cpu().contiguous() for key, tensor in network.state_dict().items()}
        if half:
            state |= {key: state[key].half() for key, _ in network.named_parameters()}
        if card.network.external_features:
            state = {key: tensor for key, tensor in state.items() if not key.startswith("features.")}
        save_file(state, folder / name)
    _write_json(folder / METADATA, _metadata(card, version, changes))
    _write_json(folder / "configs" / "inference.json", inference_config(card))
    (folder / "docs" / "README.md").write_text(_readme(card, version), encoding="utf-8")
    write_sums(folder)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _metadata(card: Card, version: str, changes: str) -> dict[str, Any]:
    """Return MONAI's metadata with our card under ``stroke``."""
    width, height = card.matrix
    channels = {str(i): ROLES[channel.role][0] for i, channel in enumerate(card.channels)}
    modality = "CT" if any(channel.role in ("ctp", "ncct") for channel in card.channels) else "MR"
    return {
        "version": version,
        "changelog": {version: changes},
        "monai_version": metadata.version("monai"),
        "pytorch_version": metadata.version("torch").split("+")[0],
        "numpy_version": metadata.version("numpy"),
        "optional_packages_version": {"safetensors": metadata.version("safetensors")},
        "name": card.name,
        "task": card.title,
        "description": card.intended_use,
        "authors": "SlicerStrokeInfarct contributors",
        "copyright": f"Copyright {datetime.date.today().year} SlicerStrokeInfarct contributors. {card.licence}",
        "intended_use": f"{card.intended_use} {NOT_CLINICAL}",
        "data_source": card.training.data,
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image", "format": "magnitude", "modality": modality, "num_channels": len(card.channels),
                    "spatial_shape": [height, width], "dtype": "float32", "value_range": [0, 1],
                    "is_patch_data": False, "channel_def": channels,
                }
            },
            "outputs": {"pred": _output_format(card)},
        },
        "stroke": card.model_dump(mode="json"),
    }  # fmt: skip


def _output_format(card: Card) -> dict[str, Any]:
    """Return MONAI's description of what comes out."""
    if card.output == "probability":
        return {"type": "probabilities", "format": "classes", "num_channels": 1, "spatial_shape": [1],
                "dtype": "float32", "value_range": [0, 1], "is_patch_data": False,
                "channel_def": {"0": "large core"}}  # fmt: skip
    width, height = card.matrix
    classes = ["lesion", "healthy tissue", "background"] if card.network.name == "debs2021" else ["lesion"]
    return {
        "type": "image", "format": "segmentation", "num_channels": len(classes), "spatial_shape": [height, width],
        "dtype": "float32", "value_range": [0, 1], "is_patch_data": False,
        "channel_def": {str(i): name for i, name in enumerate(classes)},
    }  # fmt: skip


def inference_config(card: Card) -> dict[str, Any]:
    """Return the configuration for MONAI's own command line: prepared inputs in, probabilities out.

    StrokePredict never parses this file. ``sections`` names a NumPy file prepared as the card says, by arrangement:
    ``(section, channel, y, x)``; ``(section, sections × channel, y, x)``; ``(1, section, channel, y, x)``; ``(1,
    sections, time, y, x)``. A conditioned network also takes ``told``, ``(section, 14)``. An ensemble's mean is saved.
    """
    module, cls = NETWORKS[card.network.name].split(":")
    config: dict[str, Any] = {
        "imports": ["$import numpy", "$import torch", "$from safetensors.torch import load_file"],
        "bundle_root": ".",
        "sections": "$@bundle_root + '/sections.npy'",
        "output": "$@bundle_root + '/probabilities.npy'",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "input": "$torch.from_numpy(numpy.load(@sections)).to(@device)",
    }
    inputs = "@input"
    if card.conditioned:
        config["told"] = "$@bundle_root + '/told.npy'"
        config["condition"] = "$torch.from_numpy(numpy.load(@told)).to(@device)"
        inputs += ", @condition"
    if card.network.external_features:
        config["vgg19"] = VGG19_FILE
    steps, answers = [], []
    for number, weights in enumerate(card.weights):
        name = "network" if len(card.weights) == 1 else f"network_{number}"
        config[f"{name}_def"] = {"_target_": f"StrokePredictLib.networks.{module}.{cls}", **card.network.options}
        config[name] = f"$@{name}_def.to(@device)"
        if card.network.external_features:
            steps.append(f"$@{name}.load_features(@vgg19)")
        strict = "" if not card.network.external_features else ", strict=False"
        steps.append(f"$@{name}.load_state_dict(load_file(@bundle_root + '/{weights}'){strict}) and @{name}.eval()")
        answers.append(f"@{name}({inputs}){'.softmax(dim=1)' if card.network.name == 'debs2021' else '.sigmoid()'}")
    mean = f"(({' + '.join(answers)}) / {len(answers)})"
    return config | {"run": [*steps, f"$numpy.save(@output, {mean}.detach().cpu().numpy())"]}


def _readme(card: Card, version: str) -> str:
    scores = "\n".join(f"- {name}: {score}" for name, score in card.scores.items())
    channels = "\n".join(
        f"- {ROLES[c.role][0]} ({c.unit}): {c.normalisation}, scale {c.scale:g}" + _clipping(c) for c in card.channels
    )
    lead = f"**{DEMONSTRATION}**\n\n" if card.demonstration else ""
    return (
        f"# {card.title} ({card.name} {version})\n\n{lead}{card.intended_use}\n\n{NOT_CLINICAL}\n\n"
        f"## Inputs\n\n{channels}\n\nAxial sections, {card.matrix[0]}×{card.matrix[1]} voxels of "
        f"{card.spacing_mm[0]:g}×{card.spacing_mm[1]:g} mm, 0 outside the brain.\n\n"
        f"## Training\n\n{card.training.data}\n{_made(card)}\n## Measured\n\n{scores}\n\n"
        f"## Licence\n\n{card.licence}\n"
    )


def _made(card: Card) -> str:
    """Return the simulator's fingerprint and the command lines that made the model, where they are known."""
    said = f"\nSimulator: {card.training.phantom}\n" if card.training.phantom else ""
    if card.training.commands:
        said += "\n```\n" + "\n".join(card.training.commands) + "\n```\n"
    return said


def _clipping(channel: Channel) -> str:
    if channel.normalisation in ("zscore", "enhancement"):
        return ""
    return ", negative values are 0" if channel.ceiling is None else f", clipped to 0..{channel.ceiling:g}"
