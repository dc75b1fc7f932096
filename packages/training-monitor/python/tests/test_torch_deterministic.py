"""Whether a replay, and the original that it is compared with, must have the same bits."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from concurrent import futures

import pytest
import torch
from torch import nn

from sentinel_training.pytorch.barrier import _IN_ANY_ORDER, Barrier, NotDeterministicError
from sentinel_training.pytorch.recompute import deterministic, is_deterministic, is_strict

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    yield
    torch.use_deterministic_algorithms(False)


def test_an_original_on_a_gpu_counts_where_the_job_is_strict() -> None:
    assert is_deterministic(CPU) and not is_deterministic(GPU)
    torch.use_deterministic_algorithms(True, warn_only=True)
    assert not is_deterministic(GPU)
    torch.use_deterministic_algorithms(True)
    assert is_deterministic(GPU)


def test_a_replay_is_strict_on_a_gpu_that_may_multiply_matrices_then(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_strict(CPU) and not is_strict(GPU)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    assert is_strict(GPU) and not is_strict(CPU)
    torch.use_deterministic_algorithms(True)
    assert is_strict(CPU)


def _unpool() -> None:
    pool, unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)
    unpool(*pool(torch.ones(1, 1, 4, 4)))


@pytest.mark.parametrize(("device", "config"), [(CPU, ""), (GPU, ""), (GPU, ":4096:8")], ids=str)
def test_what_has_no_deterministic_kernel_is_told_and_the_job_has_its_settings_back(
    device: torch.device, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings alone name the GPU: what is computed is on the CPU."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", config)
    filters = list(warnings.filters)
    with pytest.raises(RuntimeError, match="does not have a deterministic implementation"), deterministic(device):
        _unpool()
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    assert list(warnings.filters) == filters
    torch.use_deterministic_algorithms(True, warn_only=True)
    with deterministic(device):
        torch.ones(3).sum()
    assert torch.is_deterministic_algorithms_warn_only_enabled()


def test_another_thread_of_the_job_does_not_fail_meanwhile() -> None:
    with futures.ThreadPoolExecutor(1) as other, pytest.raises(NotDeterministicError), deterministic(CPU):
        other.submit(_unpool).result()


def test_attention_that_adds_in_any_order_is_stopped_unless_pytorch_does_it() -> None:
    for name in _IN_ANY_ORDER:
        assert hasattr(torch.ops.aten, name), name
    query = torch.ones(1, 1, 2, 4)
    arguments = (query, query, query, query, query, torch.ones(1, 1, 2), None, None, 2, 2, 0.0, False, query, query)
    with Barrier([query], strict=False), pytest.raises(NotDeterministicError, match="CUBLAS_WORKSPACE_CONFIG"):
        torch.ops.aten._scaled_dot_product_flash_attention_backward(*arguments)
