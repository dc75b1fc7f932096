"""Checksums of tensors and of matrix products."""

from __future__ import annotations

import copy
import math
import pickle
import random

import pytest
import torch
from torch import Tensor

from sentinel_training._kit import checksum as module
from sentinel_training._kit.checksum import BLOCKS, checksum, checksum_and_blocks, words
from sentinel_training.pytorch.hooks import Hook
from sentinel_training.pytorch.products import relative_error


def by_hand(tensors: list[Tensor]) -> list[int]:
    """As the wire contract defines it, in Python's integers."""
    raw = [t.contiguous().view(-1).view(torch.uint8).numpy().tobytes() for t in tensors]
    data = b"".join(one.ljust(-(-len(one) // 4) * 4, b"\0") for one in raw)
    x = [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]
    h = [sum(x), sum((2 * i + 1) * v * v for i, v in enumerate(x))]
    return [(value + 2**63) % 2**64 - 2**63 for value in h]


DTYPES = [torch.float32, torch.bfloat16, torch.float64, torch.int64, torch.uint8, torch.bool]


@pytest.mark.parametrize("dtype", DTYPES)
def test_by_its_definition(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CPU_WORDS", 16)
    module._odd_numbers.cache_clear()
    torch.manual_seed(0)
    tensors = [(torch.randn(shape) * 50).to(dtype) for shape in [(3, 5), (1,), (41,), (0,), (7, 9)]]
    assert checksum(tensors).tolist() == by_hand(tensors)
    module._odd_numbers.cache_clear()


def test_every_flipped_bit_changes_both() -> None:
    torch.manual_seed(0)
    tensor = torch.randn(300)
    before = checksum([tensor]).tolist()
    draw = random.Random(0)
    for _ in range(500):
        index, bit = draw.randrange(300), draw.randrange(32)
        held = words(tensor)
        mask = (1 << bit) - (1 << 32 if bit == 31 else 0)
        held[index] ^= mask
        after = checksum([tensor]).tolist()
        held[index] ^= mask
        assert after[0] != before[0] and after[1] != before[1]
    assert checksum([tensor]).tolist() == before


def test_two_that_are_exchanged_are_seen() -> None:
    a, b = torch.tensor([1.0, 2.0]), torch.tensor([2.0, 1.0])
    assert checksum([a])[0] == checksum([b])[0]
    assert checksum([a])[1] != checksum([b])[1]


def test_blocks_tell_where_two_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CPU_WORDS", 1024)
    module._odd_numbers.cache_clear()
    torch.manual_seed(0)
    held = torch.randn(2500)
    before = checksum_and_blocks([held])
    assert before[:2].tolist() == by_hand([held])
    # A chunk of 1,024 words has runs of 128, the last one, of 452, has runs of 64.
    for index, run, column in [
        (0, 0, 0),
        (127, 0, 7),
        (128, 1, 0),
        (1024 + 901, 7, 5),
        (2048 + 64, 1, 0),
        (2499, 7, 3),
    ]:
        other = held.clone()
        words(other)[index] ^= 1 << 30
        changed = (checksum_and_blocks([other]) != before).nonzero().reshape(-1).tolist()
        assert changed == [0, 1, 2 + run, 2 + BLOCKS + column], index
    assert checksum_and_blocks([]).tolist() == [0] * (2 + 2 * BLOCKS)
    module._odd_numbers.cache_clear()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_product_with_one_wrong_value(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    a, weight, bias = torch.randn(64, 32), torch.randn(48, 32), torch.randn(48)
    c = (a.to(dtype) @ weight.to(dtype).T + bias.to(dtype)).to(dtype)
    healthy = relative_error(a, weight, bias, c).item()
    assert healthy < (1e-6 if dtype == torch.float32 else 1e-2)
    c[5, 7] += 64
    assert relative_error(a, weight, bias, c).item() > 10 * healthy
    c[5, 7] = math.nan
    assert math.isnan(relative_error(a, weight, bias, c).item())


def test_a_copied_hook_does_nothing() -> None:
    calls: list[int] = []
    hook = Hook(calls.append)
    for other in (copy.deepcopy(hook), pickle.loads(pickle.dumps(hook))):
        other(1)
    assert calls == []
    hook(2)
    assert calls == [2]
