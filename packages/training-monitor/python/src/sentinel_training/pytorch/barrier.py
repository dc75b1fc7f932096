"""Stops a replay before it reaches anything that was there before it."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

# Operators by which ranks reach each other: one that computes again for itself would wait for the others.
_BETWEEN_RANKS = ("c10d", "c10d_functional", "_c10d_functional", "symm_mem")
# They write nothing into the tensor that their schema says they change, or give back a new one over its first argument.
_HARMLESS = ("record_stream",)
_MAKES_NEW = ("lift", "lift_fresh")
# Backward passes of attention, as PyTorch 2.13 names them, that add in an order of their own unless operators may fail.
_IN_ANY_ORDER = tuple(
    f"{kind}_attention_backward"
    for kind in ("_flash", "_efficient", *(f"_scaled_dot_product_{one}" for one in ("flash", "efficient", "cudnn")))
)


class RefusedError(RuntimeError):
    """A computation that would change what the job has."""


class NotDeterministicError(RuntimeError):
    """A computation that need not give the same bits again."""


class Barrier(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is entered, no operator writes into a tensor that was made before, draws from a generator, or reaches other ranks.

    What the operator would have changed is as it was: it has not run. Kernels that do not go through PyTorch's dispatcher are not seen.
    """

    def __init__(self, own: Iterable[Any], strict: bool = True) -> None:
        """`own`: tensors that may be written into all the same. `strict`: PyTorch itself stops what is not deterministic."""
        super().__init__()  # type: ignore[no-untyped-call]
        # Storages made since. One that was freed may give its place to a new one, which is of the replay too.
        self._own = {storage for one in own for storage in _storages(one)}
        self.refused = ""
        self._strict = strict

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func.namespace in _BETWEEN_RANKS:
            self._refuse(f"{func} reaches other ranks")
        positions, names, draws = _written(func)
        for written in (*(args[at] for at in positions if at < len(args)), *(kwargs.get(name) for name in names)):
            if not self._own.issuperset(_storages(written)):
                self._refuse(f"{func} would write into a tensor that is neither a buffer nor made in this forward pass")
        if not self._strict and func._overloadpacket.__name__ in _IN_ANY_ORDER:
            raise NotDeterministicError(f"{func} is deterministic only where CUBLAS_WORKSPACE_CONFIG is :4096:8")
        if draws and any(isinstance(one, torch.Generator) for one in (*args, *kwargs.values())):
            self._refuse(f"{func} draws from a generator of its own")
        result = func(*args, **kwargs)
        given = set() if func._overloadpacket.__name__ in _MAKES_NEW else _storages((args, kwargs))
        self._own |= _storages(result) - given
        return result

    def _refuse(self, why: str) -> None:
        self.refused = self.refused or why
        raise RefusedError(why)


@functools.lru_cache(maxsize=4096)
def _written(func: Any) -> tuple[tuple[int, ...], tuple[str, ...], bool]:
    """Positions and names of the arguments that an operator writes into, and whether it may be given a generator."""
    arguments = func._schema.arguments
    if func._overloadpacket.__name__ in _HARMLESS:
        return (), (), False
    written = [
        (at, one.name) for at, one in enumerate(arguments) if one.alias_info is not None and one.alias_info.is_write
    ]
    return (
        tuple(at for at, _ in written),
        tuple(name for _, name in written),
        any("Generator" in str(one.type) for one in arguments),
    )


def _storages(held: Any) -> set[int]:
    return {_storage(leaf) for leaf in pytree.tree_leaves(held) if isinstance(leaf, Tensor)}


def _storage(tensor: Tensor) -> int:
    try:
        return int(tensor.untyped_storage()._cdata)
    except (NotImplementedError, RuntimeError):
        # Sparse tensors and the like have none: each is one of its own.
        return id(tensor)
