"""Checksums of the tensors of a model where they lie, in pieces that hold nobody up. Needs PyTorch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ._kit.checksum import CPU_WORDS, chunk_sums, words

# Of one piece: time on a CPU; on a GPU bytes, about 2 ms of one that reads 3 TB/s several times over.
PIECE_S = 0.002
PIECE_BYTES = 64 << 20
# Smaller than in a training job: what is added up takes six times its size beside the model.
GPU_WORDS = 1 << 20


def tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters, then buffers, by name; tensors that share their memory once."""
    seen: set[tuple[torch.device, int, int]] = set()
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        place = (tensor.device, tensor.data_ptr(), tensor.numel())
        if tensor.numel() > 0 and not tensor.is_meta and place not in seen:
            seen.add(place)
            yield name, tensor


@dataclass
class Walk:
    """One checksum of a model, piece by piece."""

    model: nn.Module
    bytes: int = 0
    _sums: dict[str, Tensor] = field(default_factory=dict)
    _pieces: Iterator[int] | None = None

    def go_on(self) -> bool:
        """One more piece; true once all is done."""
        self._pieces = self._pieces if self._pieces is not None else self._walk()
        began, done = time.perf_counter(), 0
        for size in self._pieces:
            done += size
            if done >= PIECE_BYTES or time.perf_counter() - began >= PIECE_S:
                return False
        return True

    def result(self) -> dict[str, list[int]]:
        """(h1, h2) by tensor, modulo 2^64. Waits for the device."""
        found = torch.stack([total.cpu() for total in self._sums.values()]).tolist() if self._sums else []
        return {name: [h1 % 2**64, h2 % 2**64] for name, (h1, h2) in zip(self._sums, found, strict=True)}

    @torch.no_grad()
    def _walk(self) -> Iterator[int]:
        position = 0
        for name, tensor in tensors(self.model):
            flat = words(tensor)
            size = CPU_WORDS if flat.device.type == "cpu" else GPU_WORDS
            total = torch.zeros(2, dtype=torch.int64, device=flat.device)
            for start in range(0, flat.numel(), size):
                part = flat[start : start + size]
                total += chunk_sums(part, position + start)
                yield 4 * part.numel()
            self._sums[name] = total
            position += flat.numel()
            self.bytes += tensor.numel() * tensor.element_size()
