"""What the host sees of a step without asking the device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.optim import Optimizer


def loss_of(output: Any) -> Tensor | None:
    """A model that computes its loss gives it back alone, as `loss`, or under that name."""
    found = output
    if not isinstance(output, Tensor):
        found = output.get("loss") if isinstance(output, Mapping) else getattr(output, "loss", None)
    if isinstance(found, Tensor) and found.numel() == 1 and found.is_floating_point() and found.requires_grad:
        return found
    return None


def learning_rate(optimizer: Optimizer) -> float | None:
    rate = optimizer.param_groups[0].get("lr")
    if isinstance(rate, Tensor):
        return float(rate) if rate.device.type == "cpu" else None
    return None if rate is None else float(rate)


def microseconds(seconds: float) -> int:
    return min(max(0, int(seconds * 1e6)), 2**32 - 1)
