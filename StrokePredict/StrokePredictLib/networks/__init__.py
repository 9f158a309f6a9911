"""The networks, one file per architecture, made by name from a fixed list."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import StrokeError

if TYPE_CHECKING:
    from torch import nn

#: Name → "module:class". A bundle can ask for these and for nothing else.
NETWORKS: dict[str, str] = {
    "debs2021": "debs2021:Debs2021",
    "yu2020": "yu2020:Yu2020",
    "alis2020": "alis2020:Alis2020",
    "mittermeier2022": "mittermeier2022:Mittermeier2022",
    "fate": "fate:Fate",
    "dynunet": "dynunet:Dynunet",
}


def create(name: str, **options: Any) -> nn.Module:
    """Build a network by name.

    Parameters
    ----------
    name : str
        ``"debs2021"``, ``"yu2020"``, ``"alis2020"``, ``"mittermeier2022"``, ``"fate"`` or ``"dynunet"``.
    **options
        What the class takes, such as ``channels=5, fusion="late"``; each class's documentation gives shapes and source.

    Raises
    ------
    StrokeError
        If the name or an option is unknown.
    """
    if name not in NETWORKS:
        raise StrokeError(f"no network '{name}'; there are {', '.join(sorted(NETWORKS))}.")
    module, cls = NETWORKS[name].split(":")
    try:
        return getattr(import_module(f".{module}", __name__), cls)(**options)
    except (TypeError, ValueError) as error:
        raise StrokeError(f"network '{name}' cannot be built with {options}: {error}.") from error


def trainable_parameters(network: nn.Module) -> int:
    """Return the number of trainable parameters."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
