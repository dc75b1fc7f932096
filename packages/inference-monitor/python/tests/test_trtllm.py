"""Against a stand-in with the documented interface of `tensorrt_llm.LLM`: TensorRT-LLM itself needs a GPU."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from analyser import Analyser
from conftest import Configure
from sentinel_inference import InferenceMonitor
from sentinel_inference.record import TOP


@dataclass
class SamplingParams:
    max_tokens: int = 2
    logprobs: int | None = None


@dataclass
class CompletionOutput:
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[Any] = field(default_factory=list)


class RequestOutput:
    """Of which `outputs` are complete once `result` or `aresult` has returned."""

    def __init__(self, params: SamplingParams) -> None:
        self.prompt_token_ids = [5, 6, 7]
        self.outputs = [CompletionOutput()]
        self._params = params

    def result(self, timeout: float | None = None) -> RequestOutput:
        count = self._params.logprobs or 0
        position = {rank: SimpleNamespace(logprob=float(-1 - rank), rank=rank + 1) for rank in range(count)}
        self.outputs[0] = CompletionOutput([0, 1], [position, position] if count else [])
        return self

    async def aresult(self) -> RequestOutput:
        return self.result()

    def __await__(self) -> Any:
        return self.aresult().__await__()


class LLM:
    args = SimpleNamespace(model="meta/tiny")

    def __init__(self) -> None:
        self.asked: list[SamplingParams | None] = []

    def generate_async(self, inputs: Any, sampling_params: Any = None, *, streaming: bool = False) -> RequestOutput:
        self.asked.append(sampling_params)
        return RequestOutput(sampling_params or SamplingParams())

    def generate(self, inputs: list[Any], sampling_params: Any = None) -> list[RequestOutput]:
        futures = [self.generate_async(one, sampling_params=sampling_params) for one in inputs]
        return [future.result() for future in futures]


def test_what_was_not_asked_for_is_hidden(configure: Configure, analyser: Analyser) -> None:
    llm, params = LLM(), SamplingParams()
    monitor = InferenceMonitor.from_config(configure()).attach_trtllm(llm)

    async def later() -> Any:
        return await llm.generate_async("c", params)

    outputs = [*llm.generate(["a", "b"], params), asyncio.run(later())]
    monitor.close()
    assert all(isinstance(one, RequestOutput) and type(one).__name__ == "RequestOutput" for one in outputs)
    assert [one.outputs[0] for one in outputs] == [CompletionOutput([0, 1], [])] * 3
    assert params.logprobs is None
    assert [one.logprobs for one in llm.asked if one is not None] == [TOP] * 3
    samples = analyser.of("sample")
    assert analyser.of("hello")[0].framework == "tensorrt-llm"
    assert [(one.model, one.prompt_tokens, one.completion_tokens) for one in samples] == [("meta/tiny", 3, 2)] * 3
    assert list(samples[0].blocks[0].logprobs) == [-1, -2]
    assert samples[0].blocks[0].top_logprob == -1
    llm.generate(["a"], params)
    assert llm.asked[-1] is params


@pytest.mark.parametrize(
    ("params", "streaming"), [(None, False), (SamplingParams(logprobs=3), False), (SamplingParams(), True)]
)
def test_what_was_asked_for_is_left(configure: Configure, analyser: Analyser, params: Any, streaming: bool) -> None:
    llm = LLM()
    monitor = InferenceMonitor.from_config(configure()).attach_trtllm(llm)
    found = llm.generate_async("a", params, streaming=streaming).result()
    monitor.close()
    assert llm.asked == [params]
    assert len(found.outputs[0].logprobs) == (2 if params and params.logprobs else 0)
    assert analyser.of("sample") == []
