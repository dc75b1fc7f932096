"""Computes a captured micro-batch again and leaves no trace: parameters, their gradients, buffers and random states stay."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from .._kit.checksum import checksum
from .barrier import Barrier, NotDeterministicError, RefusedError
from .capture import Capture, combine
from .layout import copied
from .randomness import draw_state, restore_state

# What PyTorch says of an operator that it cannot compute the same way twice.
_NO_KERNEL = "does not have a deterministic implementation"


def recompute(module: nn.Module, capture: Capture, device: torch.device) -> Tensor:
    """int64[2]: digest of the parameters' gradients, as `Capturing.digest` gives it for the original.

    Raises:
        RefusedError: it would change something that the job has; it has not.
        NotDeterministicError: it need not give the same bits again.
    """
    # Leaves of their own: no hook of the user's parameters runs, and no gradient is accumulated.
    parameters = {name: p.detach().requires_grad_(p.requires_grad) for name, p in module.named_parameters()}
    buffers = {name: copied(value) for name, value in capture.buffers.items()}
    leaves = [copied(leaf) if isinstance(leaf, Tensor) else leaf for leaf in capture.inputs]
    args, kwargs = pytree.tree_unflatten(leaves, capture.inputs_spec)
    replaced = {f"module.{name}": value for name, value in (parameters | buffers).items()}
    barrier = Barrier([*buffers.values(), *leaves], is_strict(device))
    before = draw_state(device)
    try:
        restore_state(capture.randomness, device)
        with eager(), deterministic(device), torch.enable_grad(), barrier:
            again = _Again(module, capture, device, [p for p in parameters.values() if p.requires_grad])
            gradients = torch.func.functional_call(again, replaced, args, kwargs)
    except Exception as reason:
        if barrier.refused:
            raise RefusedError(barrier.refused) from None
        if _NO_KERNEL in str(reason):
            raise NotDeterministicError(str(reason)) from None
        raise
    finally:
        restore_state(before, device)
    if barrier.refused:
        raise RefusedError(barrier.refused)
    return combine([None if gradient is None else checksum([gradient]) for gradient in gradients], device)


class _Again(nn.Module):
    """Forward and backward: layers that are computed once more in the backward pass must find the same parameters and buffers."""

    def __init__(self, module: nn.Module, capture: Capture, device: torch.device, wanted: list[Tensor]) -> None:
        super().__init__()
        self.module = module
        self._capture, self._device, self._wanted = capture, device, wanted

    def forward(self, *args: Any, **kwargs: Any) -> tuple[Tensor | None, ...]:
        enabled, dtype = self._capture.autocast
        with torch.autocast(self._device.type, dtype=dtype, enabled=enabled):
            output = self.module(*args, **kwargs)
        return backward(output, self._capture, self._wanted)


def backward(output: Any, capture: Capture, wanted: list[Tensor]) -> tuple[Tensor | None, ...]:
    leaves = [leaf for leaf in pytree.tree_leaves(output) if isinstance(leaf, Tensor) and leaf.requires_grad]
    pairs = [(leaf, g) for leaf, g in zip(leaves, capture.output_gradients, strict=True) if g is not None]
    return torch.autograd.grad(
        [leaf for leaf, _ in pairs], wanted, grad_outputs=[gradient for _, gradient in pairs], allow_unused=True
    )


def eager() -> contextlib.AbstractContextManager[Any]:
    """Compiled parts of a model run as they were written: none is compiled anew for a replay."""
    compiles = "torch._dynamo" in sys.modules
    return torch.compiler.set_stance("force_eager") if compiles else contextlib.nullcontext()


def is_strict(device: torch.device) -> bool:
    """Is every operator told to take a deterministic kernel or to fail? On a GPU PyTorch lets no matrix be multiplied so without this
    variable (https://docs.nvidia.com/cuda/cublas/#results-reproducibility). On a CPU what operators warn of is enough."""
    return _job_is_strict() or (
        device.type == "cuda" and os.environ.get("CUBLAS_WORKSPACE_CONFIG") in (":4096:8", ":16:8")
    )


def compiles() -> bool:
    """Was anything compiled in this process? A replay runs it as it was written, which may give other bits."""
    dynamo = sys.modules.get("torch._dynamo.utils")
    return bool(getattr(dynamo, "counters", {}).get("frames"))


def is_deterministic(device: torch.device) -> bool:
    """Does the job itself compute with kernels that give the same bits every time?"""
    return device.type != "cuda" or _job_is_strict()


def _job_is_strict() -> bool:
    return torch.are_deterministic_algorithms_enabled() and not torch.is_deterministic_algorithms_warn_only_enabled()


@contextlib.contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Kernels that give the same bits every time.

    The settings are of the whole process: other threads of the job must not fail by them, where that can be had.

    Raises:
        NotDeterministicError: an operator has no such kernel. A strict one raises what PyTorch raises.
    """
    enabled, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    benchmark, cudnn = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    filled = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    strict = is_strict(device)
    try:
        if not enabled:
            torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True
        torch.use_deterministic_algorithms(True, warn_only=not strict)
        with contextlib.nullcontext() if strict else _told():
            yield
    finally:
        torch.use_deterministic_algorithms(enabled, warn_only=warns)
        torch.utils.deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = benchmark, cudnn


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Reads what PyTorch warns of, which the user has no use for."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        yield
    for one in told:
        if _NO_KERNEL in str(one.message):
            raise NotDeterministicError(str(one.message))
