"""The optimizers of PyTorch in what a user gives: wrappers of other libraries have them inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.optim import Optimizer

# Wrappers within wrappers.
MAX_DEPTH = 4


def optimizers_in(given: Any) -> list[Optimizer]:
    """At least one, in the order given.

    Raises:
        TypeError: something among it neither is an optimizer nor holds one; says what.
    """
    several = given.values() if isinstance(given, Mapping) else given if isinstance(given, list | tuple) else [given]
    found = [_optimizer(one) for one in several]
    if not found:
        raise TypeError("no optimizer was given")
    return found


def _optimizer(given: Any, depth: int = 0) -> Optimizer:
    if isinstance(given, Optimizer) and hasattr(given, "_optimizer_step_pre_hooks"):
        return given
    if depth < MAX_DEPTH:
        for held in getattr(given, "__dict__", {}).values():
            if isinstance(held, Optimizer) or hasattr(held, "param_groups"):
                return _optimizer(held, depth + 1)
    raise TypeError(f"a {type(given).__name__} is no optimizer of PyTorch and holds none")
