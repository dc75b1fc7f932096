"""Against a stand-in with the documented interface of `sglang.Engine`: SGLang itself needs a GPU."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from analyser import Analyser
from conftest import Configure
from sentinel_inference import InferenceMonitor
from sentinel_inference.record import TOP


class Engine:
    """As documented for `sglang.Engine.generate`: a mapping for one prompt, a list for several."""

    class server_args:
        model_path = "meta/tiny"

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def generate(self, prompt: Any = None, sampling_params: Any = None, **kwargs: Any) -> Any:
        self.asked.append(kwargs)
        if kwargs.get("stream"):
            return iter([self.one(kwargs)])
        return self.one(kwargs) if isinstance(prompt, str) else [self.one(kwargs) for _ in prompt]

    async def async_generate(self, prompt: Any = None, sampling_params: Any = None, **kwargs: Any) -> Any:
        return self.generate(prompt, sampling_params, **kwargs)

    def one(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        info: dict[str, Any] = {
            "id": "x",
            "prompt_tokens": 3,
            "completion_tokens": 2,
            "finish_reason": {"type": "length"},
        }
        if kwargs.get("return_logprob"):
            count = kwargs.get("top_logprobs_num", 0)
            ranks = [(float(-1 - rank), rank, None) for rank in range(count)]
            info["input_token_logprobs"] = [(None, 5, None)]
            info["output_token_logprobs"] = [(-1.0, 0, None), (-2.0, 1, None)]
            info["output_top_logprobs"] = [ranks, ranks] if count else None
        return {"text": "ab", "meta_info": info}


@pytest.mark.parametrize("prompt", ["a", ["a", "b"]])
def test_what_was_not_asked_for_is_hidden(configure: Configure, analyser: Analyser, prompt: Any) -> None:
    engine = Engine()
    without = engine.generate(prompt)
    monitor = InferenceMonitor.from_config(configure()).attach_sglang(engine)
    assert engine.generate(prompt, {"temperature": 0}) == without
    assert asyncio.run(engine.async_generate(prompt)) == without
    monitor.close()
    assert [one.get("top_logprobs_num") for one in engine.asked] == [None, TOP, TOP]
    samples = analyser.of("sample")
    assert len(samples) == (2 if prompt == "a" else 4)
    assert analyser.of("hello")[0].framework == "sglang"
    for sample in samples:
        assert (sample.model, sample.prompt_tokens, sample.completion_tokens) == ("meta/tiny", 3, 2)
        assert list(sample.blocks[0].logprobs) == [-1, -2]
        ranks = -1 - np.arange(TOP)
        rest = 1 - np.exp(ranks).sum()
        assert sample.blocks[0].entropy == pytest.approx(-(np.exp(ranks) * ranks).sum() - rest * np.log(rest), abs=1e-6)
    engine.generate(prompt)
    assert "return_logprob" not in engine.asked[-1]


def test_what_was_asked_for_is_left(configure: Configure, analyser: Analyser) -> None:
    engine = Engine()
    monitor = InferenceMonitor.from_config(configure()).attach_sglang(engine)
    own = engine.generate("a", return_logprob=True, top_logprobs_num=2)
    assert len(own["meta_info"]["output_top_logprobs"][0]) == 2
    assert "output_token_logprobs" not in next(engine.generate("a", stream=True))["meta_info"]
    monitor.close()
    assert monitor.seen == 2
    assert analyser.of("sample") == []
