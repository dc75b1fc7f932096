"""What is measured of one step: computed on the device, brought to the host by one copy that nothing waits for."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .._kit.checksum import BLOCKS, checksum, checksum_and_blocks, to_bytes
from .topology import local

# Norms of at most so many layers are reported.
MAX_LAYERS = 512
# Words of what is brought to the host: checksums of parameters and state, of their blocks; numbers of the statistics follow.
_BITS = 4 + 2 * BLOCKS
_FIXED = _BITS + 6
# Of each block the sum over parameters and state, modulo 2^64, big-endian.
_BLOCKS = struct.Struct(f">{2 * BLOCKS}Q")
BLOCKS_BYTES = _BLOCKS.size


@dataclass(frozen=True)
class Layers:
    """The modules that own parameters, and the one to which each trained parameter belongs."""

    names: list[str]
    parameters: list[nn.Parameter]
    index: Tensor

    @classmethod
    def of(cls, module: nn.Module, device: torch.device) -> Layers:
        trained = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
        owners = [name.rpartition(".")[0] or name for name, _ in trained]
        names = list(dict.fromkeys(owners))[:MAX_LAYERS]
        place = {name: at for at, name in enumerate(names)}
        index = torch.tensor([place.get(owner, MAX_LAYERS) for owner in owners], dtype=torch.int64, device=device)
        return cls(names, [p for _, p in trained], index)


@dataclass
class Gradients:
    """Of what the optimizer is about to use; on the device."""

    squares: Tensor
    nonfinite: Tensor
    layer_squares: Tensor


def gradients(layers: Layers) -> Gradients:
    """Sum of squares, number of tensors that hold a value that is not finite, sum of squares by layer."""
    device = layers.index.device
    found = [(at, local(p.grad)) for at, p in enumerate(layers.parameters) if p.grad is not None]
    found = [(at, g.coalesce().values() if g.is_sparse else g) for at, g in found if g.numel() > 0]
    by_layer = torch.zeros(MAX_LAYERS + 1, dtype=torch.float64, device=device)
    if not found:
        return Gradients(by_layer.sum(), by_layer.sum(), by_layer[: len(layers.names)])
    norms = torch.stack(list(torch._foreach_norm([g.detach() for _, g in found]))).double()
    squares = norms.square()
    whole = len(found) == len(layers.parameters)
    index = layers.index if whole else layers.index[torch.tensor([at for at, _ in found], device=device)]
    by_layer.index_add_(0, index, squares)
    return Gradients(squares.sum(), norms.isfinite().logical_not().sum().double(), by_layer[: len(layers.names)])


def weights(layers: Layers) -> tuple[Tensor, Tensor]:
    """Largest absolute value, and number of tensors that hold a value that is not finite; on the device."""
    held = [local(p.detach()) for p in layers.parameters]
    norms = torch.stack(list(torch._foreach_norm([p for p in held if p.numel() > 0], torch.inf))).double()
    return norms.max(), norms.isfinite().logical_not().sum().double()


def state_tensors(optimizers: Iterable[torch.optim.Optimizer], without: Collection[Tensor] = ()) -> list[Tensor]:
    """The tensors of the optimizers' state, in the order of their parameters; but of the parameters `without`, a set."""
    tensors = []
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            for parameter in (one for one in group["params"] if one not in without):
                state = optimizer.state.get(parameter, {})
                tensors += [local(value) for value in state.values() if isinstance(value, Tensor)]
    return tensors


@dataclass
class Measured:
    """On the host."""

    parameters: bytes
    state: bytes
    blocks: bytes
    local_norm: float | None
    loss: float | None
    squares: float
    nonfinite_gradients: int
    nonfinite_weights: int
    max_weight: float
    layer_norms: list[float]


class Sample:
    """Numbers on their way from the device."""

    def __init__(self, step: int, device: torch.device) -> None:
        self.step = step
        self.time_us = time.time_ns() // 1000
        self._device = device
        self._parts: dict[str, Tensor] = {}
        self._host_state = (0, 0)
        self.has_statistics = False
        self.has_checksums = False
        self._layers = 0
        self._began: Any = None
        self._ended: Any = None
        self._vector: Tensor | None = None
        if device.type == "cuda":
            new: Callable[..., Any] = torch.cuda.Event
            self._began, self._ended = new(enable_timing=True), new(enable_timing=True)
            self._began.record()

    def checksums(self, parameters: Sequence[Tensor], state: Sequence[Tensor]) -> None:
        """Tensors of the state that lie on the host, such as step counts, are counted from an index of their own."""
        self.has_checksums = True
        held = checksum_and_blocks(local(p) for p in parameters).to(self._device)
        kept = checksum_and_blocks(tensor for tensor in state if tensor.device == self._device).to(self._device)
        self._parts["bits"] = torch.cat((held[:2], kept[:2], held[2:] + kept[2:]))
        h1, h2 = checksum(t for t in state if t.device != self._device and t.device.type == "cpu").tolist()
        self._host_state = (h1, h2)

    def statistics(
        self, found: Gradients, held: tuple[Tensor, Tensor], local_squares: Tensor | None, loss: Tensor | None
    ) -> None:
        self.has_statistics = True
        absent = torch.full((), torch.nan, dtype=torch.float64, device=self._device)
        self._has_local, self._has_loss = local_squares is not None, loss is not None
        numbers = [
            absent if local_squares is None else local_squares,
            absent if loss is None else loss.to(self._device, torch.float64, non_blocking=True).reshape(()),
            found.squares,
            found.nonfinite,
            held[1],
            held[0],
        ]
        self._layers = found.layer_squares.numel()
        self._parts["statistics"] = torch.cat((torch.stack(numbers), found.layer_squares))

    def leave(self) -> None:
        """Starts the copy to the host."""
        bits = self._parts.get("bits", torch.zeros(_BITS, dtype=torch.int64, device=self._device))
        rest = self._parts.get("statistics", torch.zeros(_FIXED - _BITS, dtype=torch.float64, device=self._device))
        vector = torch.cat((bits.view(torch.float64), rest))
        self._parts = {}
        if self._ended is None:
            self._vector = vector
            return
        self._vector = torch.empty(vector.shape, dtype=vector.dtype, pin_memory=True)
        self._vector.copy_(vector, non_blocking=True)
        self._ended.record()

    def arrived(self, *, wait: bool = False) -> bool:
        if self._ended is None:
            return True
        if wait:
            self._ended.synchronize()
        return bool(self._ended.query())

    def device_seconds(self) -> float:
        """What the device worked for it; 0 on a CPU, where the caller's clock has it already."""
        if self._began is None or self._ended is None:
            return 0.0
        return float(self._began.elapsed_time(self._ended)) / 1000

    def measured(self) -> Measured:
        assert self._vector is not None
        words = self._vector.view(torch.int64)[:_BITS].tolist()
        local_squares, loss, squares, bad_gradients, bad_weights, largest = self._vector[_BITS:_FIXED].tolist()
        layer_squares = self._vector[_FIXED : _FIXED + self._layers]
        h1, h2 = self._host_state
        return Measured(
            parameters=to_bytes(words[0], words[1]),
            state=to_bytes(words[2] + h1, words[3] + h2),
            blocks=_BLOCKS.pack(*(word % 2**64 for word in words[4:])),
            local_norm=local_squares**0.5 if self.has_statistics and self._has_local else None,
            loss=loss if self.has_statistics and self._has_loss else None,
            squares=squares,
            nonfinite_gradients=int(bad_gradients),
            nonfinite_weights=int(bad_weights),
            max_weight=largest,
            layer_norms=layer_squares.sqrt().tolist(),
        )
