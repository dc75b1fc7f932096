"""Computes a captured micro-batch again and leaves no trace: parameters, their gradients, buffers and random states stay."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from .._kit.checksum import checksum
from .capture import Capture, combine
from .randomness import draw_state, restore_state


def recompute(module: nn.Module, capture: Capture, device: torch.device) -> Tensor:
    """int64[2]: digest of the parameters' gradients, as `Capturing.digest` gives it for the original."""
    # Leaves of their own: no hook of the user's parameters runs, and no gradient is accumulated.
    parameters = {name: p.detach().requires_grad_(p.requires_grad) for name, p in module.named_parameters()}
    buffers = {name: value.clone() for name, value in capture.buffers.items()}
    args, kwargs = pytree.tree_unflatten(
        [leaf.clone() if isinstance(leaf, Tensor) else leaf for leaf in capture.inputs], capture.inputs_spec
    )
    enabled, dtype = capture.autocast
    before = draw_state(device)
    try:
        restore_state(capture.randomness, device)
        with torch.enable_grad(), deterministic(), torch.autocast(device.type, dtype=dtype, enabled=enabled):
            output = torch.func.functional_call(module, (parameters, buffers), args, kwargs)
        with deterministic():
            gradients = backward(output, capture, [p for p in parameters.values() if p.requires_grad])
    finally:
        restore_state(before, device)
    return combine([None if gradient is None else checksum([gradient]) for gradient in gradients], device)


def backward(output: Any, capture: Capture, wanted: list[Tensor]) -> tuple[Tensor | None, ...]:
    leaves = [leaf for leaf in pytree.tree_leaves(output) if isinstance(leaf, Tensor) and leaf.requires_grad]
    pairs = [(leaf, g) for leaf, g in zip(leaves, capture.output_gradients, strict=True) if g is not None]
    return torch.autograd.grad(
        [leaf for leaf, _ in pairs], wanted, grad_outputs=[gradient for _, gradient in pairs], allow_unused=True
    )


@contextlib.contextmanager
def deterministic() -> Iterator[None]:
    """Kernels that give the same bits every time, where PyTorch has them."""
    strict, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    benchmark, cudnn = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    filled = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    try:
        if not strict:
            torch.use_deterministic_algorithms(True, warn_only=True)
            torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True
        yield
    finally:
        torch.use_deterministic_algorithms(strict, warn_only=warns)
        torch.utils.deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = benchmark, cudnn
