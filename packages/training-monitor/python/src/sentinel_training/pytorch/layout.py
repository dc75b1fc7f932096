"""Copies of tensors that lie in memory as the originals do: kernels choose the order of their sums by strides and alignment."""

from __future__ import annotations

import torch
from torch import Tensor

# Bytes. What PyTorch allocates on a CPU begins at a multiple of it, on a GPU of more.
ALIGNMENT = 64
# A view may span so many times what it shows, and a small one more.
MAX_SPAN = 4
SMALL_BYTES = 1 << 20


class TooSparseError(ValueError):
    """A view that spans much more memory than it shows."""


def copied(tensor: Tensor, device: torch.device | None = None) -> Tensor:
    """A copy with the strides of the original, its elements as far from a multiple of ALIGNMENT; on `device`, or where the original is.

    Raises:
        TooSparseError: it would take up more than MAX_SPAN times what it shows.
    """
    tensor, device = tensor.detach(), device or tensor.device
    if type(tensor) is not Tensor or tensor.layout != torch.strided or tensor.is_conj() or tensor.is_neg():
        return tensor.to(device, copy=True)
    size, span = tensor.element_size(), _span(tensor)
    if span * size > max(MAX_SPAN * tensor.numel() * size, SMALL_BYTES):
        raise TooSparseError(f"a view of {tensor.numel() * size} bytes spans {span * size}")
    before = tensor.data_ptr() % ALIGNMENT // size
    flat = torch.empty(before + span, dtype=tensor.dtype, device=device)
    flat[before:].copy_(tensor.as_strided((span,), (1,)))
    return flat.as_strided(tensor.shape, tensor.stride(), before)


def _span(tensor: Tensor) -> int:
    """Elements from its first to its last in memory."""
    if tensor.numel() == 0:
        return 0
    return 1 + sum((length - 1) * stride for length, stride in zip(tensor.shape, tensor.stride(), strict=True))
