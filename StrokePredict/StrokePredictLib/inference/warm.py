"""Networks kept in memory between predictions, so that a warm process does not load them again."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from ..models.bundle import Bundle

if TYPE_CHECKING:
    from torch import nn

#: Bytes of weights that are kept.
MOST_BYTES = 200 * 2**20

_kept: OrderedDict[tuple, nn.Module] = OrderedDict()


def network_of(bundle: Bundle, member: int = 0) -> nn.Module:
    """Return a bundle's network, loaded now or before; the hash of the weights says whether it is the same."""
    key = (type(bundle), bundle.folder, bundle.sha256, member)
    if key not in _kept:
        _kept[key] = bundle.load(member) if member else bundle.load()
    _kept.move_to_end(key)
    while len(_kept) > 1 and sum(_bytes(network) for network in _kept.values()) > MOST_BYTES:
        _kept.popitem(last=False)
    return _kept[key]


def _bytes(network: nn.Module) -> int:
    return sum(p.numel() * p.element_size() for p in network.parameters())
