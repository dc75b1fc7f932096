"""Copies lie in memory as the originals do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from sentinel_training.pytorch.capture import from_bytes, take_inputs
from sentinel_training.pytorch.layout import ALIGNMENT, TooSparseError, copied

BASE = torch.arange(4 * 6 * 10, dtype=torch.float32).reshape(4, 6, 10)
VIEWS: dict[str, Callable[[], Tensor]] = {
    "whole": lambda: BASE,
    "cut": lambda: BASE[:, :, 3:7],
    "every other": lambda: BASE[:, ::2],
    "turned": lambda: BASE.transpose(0, 2),
    "expanded": lambda: torch.ones(1).expand(4, 6),
    "overlapping": lambda: BASE.flatten().unfold(0, 8, 2),
    "channels last": lambda: BASE[None].contiguous(memory_format=torch.channels_last),
    "shifted bytes": lambda: torch.arange(100, dtype=torch.uint8)[7:90:3],
    "empty": lambda: BASE[:0],
    "scalar": lambda: BASE[1, 2, 3],
    "conjugate": lambda: torch.complex(BASE, BASE).conj(),
    "sparse": lambda: BASE[0].to_sparse(),
}


def place(tensor: Tensor) -> tuple[tuple[int, ...], int]:
    return tensor.stride(), tensor.data_ptr() % ALIGNMENT


@pytest.mark.parametrize("name", VIEWS)
def test_is_the_same_and_elsewhere(name: str) -> None:
    view = VIEWS[name]()
    copy = copied(view)
    assert copy.to_dense().equal(view.to_dense()) and copy.dtype == view.dtype
    if view.layout == torch.strided:
        assert place(copy) == place(view)
        assert view.numel() == 0 or copy.untyped_storage().data_ptr() != view.untyped_storage().data_ptr()


def test_a_view_of_far_more_than_it_shows_is_not_copied() -> None:
    rows = torch.zeros(1 << 12, 1 << 10)
    assert copied(rows[:, :256]).shape == (1 << 12, 256)
    with pytest.raises(TooSparseError, match="spans"):
        copied(rows[:, 0])


def test_lies_so_on_another_rank_too() -> None:
    model = torch.nn.Linear(4, 4)
    cpu = torch.device("cpu")
    views = [make() for name, make in VIEWS.items() if name not in ("conjugate", "sparse")]
    capture = take_inputs(model, cpu, tuple(views), {})
    capture.output_gradients = [copied(BASE[:, :, 1:])]
    there = from_bytes(capture.to_bytes(), capture, cpu)
    for view, one in zip([*views, BASE[:, :, 1:]], [*there.inputs, *there.output_gradients], strict=True):
        assert one.equal(view) and place(one) == place(view)
