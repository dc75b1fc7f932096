"""Checksum of tensors by their bits, on the device where they lie.

Over the 32-bit words x_0, x_1, … of the tensors in order, x_i without sign and each tensor padded with zero bytes to whole words:

    h1 = sum of x_i          h2 = sum of (2 i + 1) x_i²          both modulo 2^64

One flipped bit changes both: h1 by a power of two, h2 by an odd multiple of a difference of two squares below 2^64.
Sums of integers do not depend on the order in which a device adds them.

Where two differ, sums over blocks of the words tell whether they differ in the same place: what is worked on at once is cut into BLOCKS
runs of one length, and dealt out in turn to BLOCKS columns, so that neighbours are of one run and of different columns.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

# Words that are worked on at once: on a CPU what stays in its cache, on a GPU what keeps it busy with few kernels.
CPU_WORDS = 1 << 16
GPU_WORDS = 1 << 22
# Runs, and as many columns.
BLOCKS = 8


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
    return checksum_and_blocks(tensors)[:2]


def checksum_and_blocks(tensors: Iterable[Tensor]) -> Tensor:
    """int64[2 + 2 BLOCKS]: h1 and h2, then a sum for each run and for each column, of which only equality means something.

    As `checksum` else, by the same kernels.
    """
    total: Tensor | None = None
    position = 0
    for chunk in _chunks([words(tensor) for tensor in tensors if tensor.numel() > 0]):
        part = _sums(chunk, position)
        total = part if total is None else total.add_(part)
        position += chunk.numel()
    if total is None:
        return torch.zeros(2 + 2 * BLOCKS, dtype=torch.int64)
    cells = total[2:].view(BLOCKS, BLOCKS)
    return torch.cat((total[:2], cells.sum(1), cells.sum(0)))


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
    return _sums(chunk, position)[:2]


def _sums(chunk: Tensor, position: int) -> Tensor:
    """h1 and h2, then what the words of each run (by rows) and column (within a row) add to h2 were the first one's number 0."""
    values = chunk.view(torch.uint32).to(torch.int64)
    squares = values * values
    h1 = values.sum()
    # sum of (2 (i + position) + 1) s_i = sum of (2 i + 1) s_i + 2 position sum of s_i
    h2 = squares.sum().mul_(_wrapped(2 * position))
    weighted = squares.mul_(_odd(chunk.numel(), chunk.device))
    if rest := -weighted.numel() % BLOCKS**2:
        weighted = torch.nn.functional.pad(weighted, (0, rest))
    cells = weighted.view(BLOCKS, -1, BLOCKS).sum(1).reshape(-1)
    return torch.cat((torch.stack((h1, h2.add_(cells.sum()))), cells))


def _wrapped(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63


@functools.lru_cache(maxsize=8)
def _odd_numbers(count: int, device: torch.device) -> Tensor:
    return torch.arange(1, 2 * count, 2, dtype=torch.int64, device=device)


def _odd(count: int, device: torch.device) -> Tensor:
    return _odd_numbers(GPU_WORDS if device.type != "cpu" else CPU_WORDS, device)[:count]
