"""The convolutional LSTM of Shi et al. 2015, as Keras has it, run in both directions with the same weights."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class ConvLSTM(nn.Module):
    """One ConvLSTM over a sequence of feature maps, forwards and backwards with tied weights, summed.

    Gates i, f, o = hard sigmoid(W·x + U·h + b) with Keras' clip(0.2·a + 0.5, 0, 1), candidate tanh, no peepholes,
    forget bias 1 at the start. W and b act on the input, U (without bias) on the state.

    Parameters
    ----------
    channels : int
        Of input and state.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.of_input = nn.Conv2d(channels, 4 * channels, kernel_size=3, padding=1)
        self.of_state = nn.Conv2d(channels, 4 * channels, kernel_size=3, padding=1, bias=False)
        with torch.no_grad():
            self.of_input.bias.zero_()
            self.of_input.bias[channels : 2 * channels] = 1.0

    def forward(self, x: torch.Tensor, present: torch.Tensor | None = None) -> torch.Tensor:
        """Return the sum of both directions' states at every section.

        Parameters
        ----------
        x : torch.Tensor
            ``(batch, sections, channels, height, width)``.
        present : torch.Tensor, optional
            bool ``(batch, sections)``. Where False the section is padding: the state passes it unchanged (Keras'
            masking), and the output there is 0.

        Returns
        -------
        torch.Tensor
            As ``x``.
        """
        batch, sections = x.shape[:2]
        # The weights are tied, so both directions step together as one batch; out[t] collects what each has for t.
        hidden = x.new_zeros(2 * batch, *x.shape[2:])
        cell = torch.zeros_like(hidden)
        out = torch.zeros_like(x)
        for step in range(sections):
            there, back = step, sections - 1 - step
            seen = torch.cat([x[:, there], x[:, back]])
            fresh = self._step(seen, hidden, cell)
            if present is None:
                hidden, cell = fresh
            else:
                here = torch.cat([present[:, there], present[:, back]])[:, None, None, None]
                hidden, cell = (torch.where(here, new, old) for new, old in zip(fresh, (hidden, cell), strict=True))
            forwards, backwards = hidden.split(batch)
            out = self._add(out, there, forwards)
            out = self._add(out, back, backwards)
        return out if present is None else out * present[:, :, None, None, None]

    def _step(self, seen: torch.Tensor, hidden: torch.Tensor, cell: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        # Keras' hard sigmoid is clip(0.2·a + 0.5), torch's is clip(a/6 + 0.5): hence 1.2.
        gates = self.of_input(seen) + self.of_state(hidden)
        i, f, candidate, o = gates.chunk(4, dim=1)
        i, f, o = (functional.hardsigmoid(1.2 * gate) for gate in (i, f, o))
        cell = f * cell + i * torch.tanh(candidate)
        return o * torch.tanh(cell), cell

    @staticmethod
    def _add(out: torch.Tensor, section: int, state: torch.Tensor) -> torch.Tensor:
        out[:, section] += state
        return out
