"""Checksum of tensors by their bits, on the device where they lie.

Over the 32-bit words x_0, x_1, … of the tensors in order, x_i without sign and each tensor padded with zero bytes to whole words:

    h1 = sum of x_i          h2 = sum of (2 i + 1) x_i²          both modulo 2^64

One flipped bit changes both: h1 by a power of two, h2 by an odd multiple of a difference of two squares below 2^64.
Sums of integers do not depend on the order in which a device adds them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

# Words that are worked on at once: on a CPU what stays in its cache, on a GPU what keeps it busy with few kernels.
CPU_WORDS = 1 << 16
GPU_WORDS = 1 << 22


def words(tensor: Tensor) -> Tensor:
    """The bits of a tensor as a flat int32 tensor; no copy where it is contiguous and fills whole words."""
    flat = tensor.detach().contiguous().reshape(-1)
    if flat.is_complex():
        flat = torch.view_as_real(flat).reshape(-1)
    if (flat.numel() * flat.element_size()) % 4 == 0 and (flat.element_size() == 4 or flat.storage_offset() % 4 == 0):
        return flat.view(torch.int32)
    data = flat.view(torch.uint8)
    return torch.nn.functional.pad(data, (0, -data.numel() % 4)).view(torch.int32)


def checksum(tensors: Iterable[Tensor]) -> Tensor:
    """int64[2], h1 and h2, on the device of the tensors, which must all lie on one. Nothing waits for the device.

    An empty sequence gives zeros on the CPU.
    """
    total: Tensor | None = None
    position = 0
    for chunk in _chunks([words(tensor) for tensor in tensors if tensor.numel() > 0]):
        part = chunk_sums(chunk, position)
        total = part if total is None else total.add_(part)
        position += chunk.numel()
    return torch.zeros(2, dtype=torch.int64) if total is None else total


def to_bytes(h1: int, h2: int) -> bytes:
    """As the wire contract has it: h1 and h2, big-endian, 16 bytes."""
    return (h1 % 2**64).to_bytes(8, "big") + (h2 % 2**64).to_bytes(8, "big")


def _chunks(pieces: list[Tensor]) -> Iterator[Tensor]:
    """The same words in chunks of one size: small tensors put together, large ones cut."""
    waiting: list[Tensor] = []
    room = 0
    for piece in pieces:
        size = GPU_WORDS if piece.device.type != "cpu" else CPU_WORDS
        start = 0
        while start < piece.numel():
            room = room or size
            part = piece[start : start + room]
            waiting.append(part)
            start += part.numel()
            room -= part.numel()
            if room == 0:
                yield waiting[0] if len(waiting) == 1 else torch.cat(waiting)
                waiting = []
    if waiting:
        yield waiting[0] if len(waiting) == 1 else torch.cat(waiting)


def chunk_sums(chunk: Tensor, position: int) -> Tensor:
    """int64[2], what the words `chunk`, at most CPU_WORDS or GPU_WORDS of them, add to h1 and h2 where the first one has this number."""
    values = chunk.view(torch.uint32).to(torch.int64)
    squares = values * values
    h1 = values.sum()
    # sum of (2 (i + position) + 1) s_i = sum of (2 i + 1) s_i + 2 position sum of s_i
    h2 = squares.sum().mul_(_wrapped(2 * position))
    h2.add_(squares.mul_(_odd(chunk.numel(), chunk.device)).sum())
    return torch.stack((h1, h2))


def _wrapped(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63


@functools.lru_cache(maxsize=8)
def _odd_numbers(count: int, device: torch.device) -> Tensor:
    return torch.arange(1, 2 * count, 2, dtype=torch.int64, device=device)


def _odd(count: int, device: torch.device) -> Tensor:
    return _odd_numbers(GPU_WORDS if device.type != "cpu" else CPU_WORDS, device)[:count]
