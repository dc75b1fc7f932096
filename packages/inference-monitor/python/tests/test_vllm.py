"""A real vLLM in this process, float32 on the CPU: users get what they get without the monitor, and the records are right."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import tiny
from analyser import Analyser
from conftest import Configure
from sentinel_inference import InferenceMonitor
from sentinel_inference._wire import inference_pb2 as wire
from sentinel_inference.record import TOP

PROMPTS = ["the quick brown", "silent data corruption", "every probe verifies arithmetic on", "fleet"]
Engine = Any


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny.model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def llm(folder: str) -> Iterator[Engine]:
    os.environ.update(tiny.ENVIRONMENT, VLLM_ENABLE_V1_MULTIPROCESSING="0")
    from sentinel_inference.vllm import plugin

    plugin.load()
    from vllm import LLM

    engine = LLM(folder, **tiny.OPTIONS)
    yield engine
    engine.llm_engine.engine_core.shutdown()


def greedy(tokens: int = 8, **keys: Any) -> Any:
    from vllm import SamplingParams

    return SamplingParams(temperature=0, max_tokens=tokens, ignore_eos=True, **keys)


def answers(llm: Engine, params: Any) -> list[Any]:
    """All that a user sees of an answer."""
    return [
        (
            out.prompt_token_ids,
            out.prompt_logprobs,
            [(o.text, o.token_ids, o.logprobs, o.cumulative_logprob) for o in out.outputs],
        )
        for out in llm.generate(PROMPTS, params, use_tqdm=False)
    ]


def test_users_get_the_same(llm: Engine, configure: Configure, analyser: Analyser) -> None:
    from vllm import SamplingParams

    kinds = [
        greedy(20),
        greedy(9, logprobs=0),
        greedy(9, logprobs=3, prompt_logprobs=2),
        greedy(9, logprobs=20),
        greedy(9, logprobs=2, flat_logprobs=True),
        greedy(40, stop=["e"], logprobs=1),
        SamplingParams(temperature=1, seed=5, max_tokens=20, n=3),
        SamplingParams(temperature=0.7, seed=5, top_p=0.8, max_tokens=20, logprobs=1),
        [greedy(5), greedy(6, logprobs=4), SamplingParams(temperature=1, seed=1, max_tokens=7), greedy(20)],
    ]
    without = [answers(llm, kind) for kind in kinds]
    monitor = InferenceMonitor.from_config(configure()).attach_vllm(llm)
    watched = [answers(llm, kind) for kind in kinds]
    monitor.close()
    assert watched == without
    # Each of three continuations is a request of its own.
    assert len(analyser.of("sample")) == monitor.seen == len(PROMPTS) * (len(kinds) + 2)
    assert [answers(llm, kind) for kind in kinds] == without


def test_records_are_what_transformers_computes(
    llm: Engine, folder: str, configure: Configure, analyser: Analyser
) -> None:
    from transformers import AutoModelForCausalLM

    monitor = InferenceMonitor.from_config(configure(replay="{interval_s: 600}")).attach_vllm(llm)
    outputs = llm.generate(PROMPTS, greedy(100), use_tqdm=False)
    monitor.close()
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    samples = analyser.of("sample")
    for output, sample in zip(outputs, samples, strict=True):
        prompt, tokens = list(output.prompt_token_ids), list(output.outputs[0].token_ids)
        with torch.no_grad():
            logits = model(torch.tensor([prompt + tokens])).logits[0, len(prompt) - 1 : -1]
        logprobs = logits.double().log_softmax(-1)
        assert (sample.kind, sample.model) == (wire.RequestSample.KIND_COMPLETION, tiny.NAME)
        assert (sample.prompt_tokens, sample.completion_tokens) == (len(prompt), 100)
        assert 0 < sample.first_byte_us < sample.total_us
        assert [len(block.logprobs) for block in sample.blocks] == [64, 36]
        chosen = logprobs[range(100), tokens]
        assert [value for block in sample.blocks for value in block.logprobs] == pytest.approx(
            chosen.tolist(), abs=1e-4
        )
        top = logprobs.topk(TOP).values
        rest = (1 - top.exp().sum(-1)).clamp(min=1e-12)
        entropy = -(top.exp() * top).sum(-1) - rest * rest.log()
        for block, part in zip(sample.blocks, (slice(0, 64), slice(64, 100)), strict=True):
            assert block.entropy == pytest.approx(entropy[part].mean().item(), abs=1e-4)
            assert block.top_logprob == pytest.approx(top[part, 0].mean().item(), abs=1e-4)
            assert block.max_logit == pytest.approx(logits[part].abs().max().item(), abs=1e-3)
            assert block.impossible == 0
            assert block.excess < 1e-6
            assert block.ByteSize() <= 300
    assert [one.HasField("replay") for one in samples] == [True, False, False, False]
    replay = samples[0].replay
    assert (replay.prompt, replay.completion) == (outputs[0].prompt_token_ids, outputs[0].outputs[0].token_ids)


def test_questions(llm: Engine, configure: Configure, analyser: Analyser) -> None:
    """The same canary gives the same digest whatever else the engine does; a replay in one prefill gives the values of the decoding."""
    monitor = InferenceMonitor.from_config(configure()).attach_vllm(llm)
    said = llm.generate(PROMPTS[0], greedy(12, logprobs=0), use_tqdm=False)[0]
    prompt, tokens = said.prompt_token_ids, said.outputs[0].token_ids
    canary = wire.CanaryQuestion(prompt=PROMPTS[1], max_tokens=6)
    for question in (
        wire.Question(id=1, canary=canary),
        wire.Question(id=2, canary=canary),
        wire.Question(id=3, replay=wire.Replay(prompt=prompt, completion=tokens)),
        wire.Question(id=4, weights=wire.WeightQuestion()),
    ):
        analyser.say(question=question)
    seen = []
    analyser.wait(lambda: len(analyser.of("answer")) == 4, lambda: seen.append(answers(llm, greedy(4))))
    monitor.close()
    assert all(one == seen[0] for one in seen), "our own requests are nobody's answer"
    one, two, replay, weights = sorted(analyser.of("answer"), key=lambda answer: answer.id)
    assert (one.digest, one.count, len(one.values)) == (two.digest, 6, 6)
    assert replay.values == pytest.approx(
        [position[token].logprob for token, position in zip(tokens, said.outputs[0].logprobs, strict=True)], abs=1e-4
    )
    assert replay.count == 12
    assert "does not answer" in weights.failure
    assert analyser.of("hello")[0].answers


def test_rate_is_what_the_analyser_says(llm: Engine, configure: Configure, analyser: Analyser) -> None:
    monitor = InferenceMonitor.from_config(configure(sampling_rate=0)).attach_vllm(llm)
    answers(llm, greedy())
    analyser.say(sampling_rate=1)
    analyser.wait(lambda: len(analyser.of("sample")) > 0, lambda: answers(llm, greedy()))
    monitor.close()
    last = analyser.requests[-1]
    assert last.seen == monitor.seen > len(analyser.of("sample"))


def test_without_an_analyser(llm: Engine, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    from sentinel_inference._kit import sender

    monkeypatch.setattr(sender, "QUEUE_RECORDS", 3)
    before = answers(llm, greedy())
    monitor = InferenceMonitor.from_config(configure()).attach_vllm(llm)
    assert answers(llm, greedy()) == before
    assert answers(llm, greedy()) == before
    assert monitor.dropped == 5
    monitor.close()


def test_an_analyser_that_is_slow_and_is_killed(llm: Engine, configure: Configure, tmp_path: Path) -> None:
    before = answers(llm, greedy())
    monitor = InferenceMonitor.from_config(configure()).attach_vllm(llm)
    slow = Analyser(tmp_path / "inference.sock", pause_s=60)
    assert answers(llm, greedy()) == before
    slow.wait(lambda: len(slow.requests) > 0, lambda: answers(llm, greedy()))
    slow.stop()
    assert answers(llm, greedy()) == before
    back = Analyser(tmp_path / "inference.sock")
    back.wait(lambda: len(back.of("hello")) == 1 and len(back.of("sample")) > 0, lambda: answers(llm, greedy()))
    monitor.close()
    back.stop()


def test_what_fails_ends_the_monitor_alone(
    llm: Engine,
    configure: Configure,
    analyser: Analyser,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from sentinel_inference import record

    before = answers(llm, greedy())
    monitor = InferenceMonitor.from_config(configure()).attach_vllm(llm)
    monkeypatch.setattr(record, "from_top", lambda *_: 1 / 0)
    assert answers(llm, greedy()) == before
    assert answers(llm, greedy()) == before
    monitor.close()
    assert [one.getMessage() for one in caplog.records if one.name == "sentinel_inference"] == [
        "the inference monitor is off: ZeroDivisionError: division by zero"
    ]


def test_an_engine_that_is_none(configure: Configure, caplog: pytest.LogCaptureFixture) -> None:
    InferenceMonitor.from_config(configure()).attach_vllm(object())
    assert "is no engine of vLLM V1" in caplog.text
