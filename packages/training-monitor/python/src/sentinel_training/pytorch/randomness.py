"""The state of everything that a forward pass may draw random numbers from."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Randomness:
    cpu: Tensor
    device: Tensor | None
    python: tuple[Any, ...]
    numpy: dict[str, Any] | None

    def plain(self) -> dict[str, Any]:
        """The same as tensors and plain values, to be sent to another rank."""
        numpy = self.numpy
        if numpy is not None:
            numpy = {**numpy, "state": {k: v if isinstance(v, int) else v.tolist() for k, v in numpy["state"].items()}}
        return {"cpu": self.cpu, "device": self.device, "python": self.python, "numpy": numpy}

    @staticmethod
    def from_plain(content: dict[str, Any]) -> Randomness:
        """numpy's generator takes lists where it gives arrays."""
        return Randomness(**content)


def draw_state(device: torch.device) -> Randomness:
    numpy = sys.modules.get("numpy")
    return Randomness(
        cpu=torch.get_rng_state(),
        device=torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        python=random.getstate(),
        numpy=numpy.random.get_state(legacy=False) if numpy is not None else None,
    )


def restore_state(state: Randomness, device: torch.device) -> None:
    torch.set_rng_state(state.cpu)
    if state.device is not None:
        torch.cuda.set_rng_state(state.device, device)
    random.setstate(state.python)
    numpy = sys.modules.get("numpy")
    if numpy is not None and state.numpy is not None:
        numpy.random.set_state(state.numpy)
