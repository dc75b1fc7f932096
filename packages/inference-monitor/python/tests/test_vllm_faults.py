"""Faults in the memory of a running vLLM, and what the records and the checksums show of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analyser import Analyser
from conftest import Configure
from sentinel_inference import InferenceMonitor, manifest
from sentinel_inference.vllm.drivers import finish
from sentinel_inference.vllm.jobs import checksum
from test_vllm import Engine, answers, folder, greedy, llm

__all__ = ["folder", "llm"]
TENSOR = "model.embed_tokens.weight"


def flip(worker: Any) -> None:
    """One bit of one weight in the memory of the worker."""
    import torch

    weight = dict(worker.model_runner.get_model().named_parameters())[TENSOR].data
    weight.view(-1)[1000:1001].view(torch.int32).bitwise_xor_(1 << 20)


def corrupt(worker: Any) -> None:
    """From now on one logit is not a number."""
    model = worker.model_runner.get_model()
    right = model.compute_logits

    def wrong(*args: Any, **kwargs: Any) -> Any:
        logits = right(*args, **kwargs)
        logits[:, 7] = float("nan")
        return logits

    model.compute_logits = wrong


def shift(worker: Any) -> None:
    """From now on logits are three times as large."""
    model = worker.model_runner.get_model()
    right = model.compute_logits
    model.compute_logits = lambda *args, **kwargs: 3 * right(*args, **kwargs)


def repair(worker: Any) -> None:
    vars(worker.model_runner.get_model()).pop("compute_logits", None)


def test_a_flipped_weight_is_named(llm: Engine, configure: Configure, analyser: Analyser) -> None:
    monitor = InferenceMonitor.from_config(configure(weights="{interval_s: 1}")).attach_vllm(llm)
    reports = lambda: analyser.of("weights")  # noqa: E731

    def another() -> Any:
        count = len(reports())
        analyser.wait(lambda: len(reports()) > count + 1, lambda: answers(llm, greedy()))
        return reports()[-1].shards[0]

    healthy = another()
    assert (healthy.digest, list(healthy.differing), healthy.worker) == (healthy.expected, [], 0)
    assert healthy.bytes > 1_000_000
    llm.collective_rpc(flip)
    faulty = another()
    assert faulty.digest != faulty.expected == healthy.digest
    assert list(faulty.differing) == [TENSOR]
    llm.collective_rpc(flip)
    assert another().digest == healthy.digest
    llm.collective_rpc(flip)
    llm.collective_rpc("reload_weights")
    analyser.wait(lambda: any(one.reloaded for one in reports()), lambda: answers(llm, greedy()))
    (after,) = [one for one in reports() if one.reloaded]
    assert not after.shards[0].expected
    monitor.close()


def test_a_manifest_says_what_is_right(llm: Engine, configure: Configure, analyser: Analyser, tmp_path: Path) -> None:
    shards = finish(llm.llm_engine, checksum(0))
    manifest.write(tmp_path / "weights.json", shards, {"model": "tiny"})
    assert manifest.read(tmp_path / "weights.json") == shards
    llm.collective_rpc(flip)
    monitor = InferenceMonitor.from_config(
        configure(weights="{interval_s: 600, manifest_file: weights.json}")
    ).attach_vllm(llm)
    analyser.wait(lambda: len(analyser.of("weights")) == 1)
    monitor.close()
    llm.collective_rpc(flip)
    (shard,) = analyser.of("weights")[0].shards
    assert shard.expected == shards[0].digest
    assert list(shard.differing) == [TENSOR]


def test_a_corrupted_logit_is_shown(llm: Engine, configure: Configure, analyser: Analyser) -> None:
    monitor = InferenceMonitor.from_config(configure()).attach_vllm(llm)
    answers(llm, greedy())
    for fault in (corrupt, shift):
        llm.collective_rpc(fault)
        answers(llm, greedy())
        llm.collective_rpc(repair)
    monitor.close()
    samples = analyser.of("sample")
    healthy, broken, sharp = (samples[4 * part : 4 * part + 4] for part in range(3))
    assert all(one.blocks[0].impossible == 0 for one in healthy + sharp)
    assert all(one.blocks[0].impossible > 0 for one in broken)
    for one, other in zip(healthy, sharp, strict=True):
        assert other.blocks[0].max_logit > 2 * one.blocks[0].max_logit
    assert max(one.blocks[0].entropy for one in sharp) < min(one.blocks[0].entropy for one in healthy)


def test_another_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"format": 2, "algorithm": "sum64"}')
    with pytest.raises(ValueError, match=r"m\.json: is no manifest of weights .* format 2"):
        manifest.read(tmp_path / "m.json")
