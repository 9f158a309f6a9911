"""A trained network to a MONAI bundle with our card."""

from __future__ import annotations

import datetime
import json
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from StrokePredictLib.case import ROLES
from StrokePredictLib.models.bundle import METADATA, WEIGHTS, write_sums
from StrokePredictLib.models.card import Card
from StrokePredictLib.networks import NETWORKS
from StrokePredictLib.study import DEMONSTRATION, NOT_CLINICAL

if TYPE_CHECKING:
    from torch import nn


def write_bundle(folder: Path, network: nn.Module, card: Card, version: str, changes: str) -> None:
    """Write a bundle into an empty folder.

    Parameters
    ----------
    folder : Path
        Empty; stage it (`StrokePredictLib.io.output.staged_folder`) so that it is whole or absent.
    network : torch.nn.Module
        With the trained weights.
    card : Card
        What the model says of itself.
    version, changes : str
        The bundle's version and what is new in it.
    """
    from safetensors.torch import save_file

    for name in ("configs", "models", "docs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    state = {key: tensor.detach().cpu().contiguous() for key, tensor in network.state_dict().items()}
    save_file(state, folder / WEIGHTS)
    _write_json(folder / METADATA, _metadata(card, version, changes))
    _write_json(folder / "configs" / "inference.json", _inference(card))
    (folder / "docs" / "README.md").write_text(_readme(card, version), encoding="utf-8")
    write_sums(folder)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _metadata(card: Card, version: str, changes: str) -> dict[str, Any]:
    """Return MONAI's metadata with our card under ``stroke``."""
    width, height = card.matrix
    channels = {str(i): ROLES[channel.role][0] for i, channel in enumerate(card.channels)}
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
                    "type": "image", "format": "magnitude", "modality": "MR", "num_channels": len(card.channels),
                    "spatial_shape": [height, width], "dtype": "float32", "value_range": [0, 1],
                    "is_patch_data": False, "channel_def": channels,
                }
            },
            "outputs": {
                "pred": {
                    "type": "image", "format": "segmentation", "num_channels": 3, "spatial_shape": [height, width],
                    "dtype": "float32", "value_range": [], "is_patch_data": False,
                    "channel_def": {"0": "lesion", "1": "healthy tissue", "2": "background"},
                }
            },
        },
        "stroke": card.model_dump(mode="json"),
    }  # fmt: skip


def _inference(card: Card) -> dict[str, Any]:
    """Return the configuration for MONAI's own command line: prepared sections in, class probabilities out.

    StrokePredict never parses this file. ``sections`` names a NumPy file of shape ``(section, channel, y, x)``,
    prepared as the card says.
    """
    module, cls = NETWORKS[card.network.name].split(":")
    return {
        "imports": ["$import numpy", "$import torch", "$from safetensors.torch import load_file"],
        "bundle_root": ".",
        "sections": "$@bundle_root + '/sections.npy'",
        "output": "$@bundle_root + '/probabilities.npy'",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "network_def": {"_target_": f"StrokePredictLib.networks.{module}.{cls}", **card.network.options},
        "network": "$@network_def.to(@device)",
        "weights": f"$load_file(@bundle_root + '/{WEIGHTS}')",
        "load": "$@network.load_state_dict(@weights) and @network.eval()",
        "input": "$torch.from_numpy(numpy.load(@sections)).to(@device)",
        "run": [
            "$@load",
            "$numpy.save(@output, @network(@input).softmax(dim=1).detach().cpu().numpy())",
        ],
    }


def _readme(card: Card, version: str) -> str:
    scores = "\n".join(f"- {name}: {score}" for name, score in card.scores.items())
    channels = "\n".join(
        f"- {ROLES[c.role][0]} ({c.unit}): {c.normalisation}, scale {c.scale:g}, clipped to 0..1" for c in card.channels
    )
    lead = f"**{DEMONSTRATION}**\n\n" if card.demonstration else ""
    return (
        f"# {card.title} ({card.name} {version})\n\n{lead}{card.intended_use}\n\n{NOT_CLINICAL}\n\n"
        f"## Inputs\n\n{channels}\n\nAxial sections, {card.matrix[0]}×{card.matrix[1]} voxels of "
        f"{card.spacing_mm[0]:g}×{card.spacing_mm[1]:g} mm, 0 outside the brain.\n\n"
        f"## Training\n\n{card.training.data}\n\n## Measured\n\n{scores}\n\n## Licence\n\n{card.licence}\n"
    )
