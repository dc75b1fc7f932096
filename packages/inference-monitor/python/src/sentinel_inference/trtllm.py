"""TensorRT-LLM: `LLM.generate_async`, on which `LLM.generate` rests. Not run with TensorRT-LLM itself.

Written for its documented interface (`tensorrt_llm.llmapi.LLM`, 0.17 to 1.2): `generate_async(inputs, sampling_params=None, …,
streaming=False)` gives a RequestOutput with `result()`, `aresult()` and `await`; `outputs[i]` has `token_ids` and `logprobs`,
for each token a mapping of tokens to objects with `logprob` and `rank`; `SamplingParams.logprobs` says how many.
"""

from __future__ import annotations

import copy
import functools
import time
from typing import Any

from . import record
from ._wire import inference_pb2 as wire
from .channel import Channel
from .limits import MODEL_BYTES, clipped

INPUTS, PARAMS = 0, 1


class TrtllmAttachment:
    """Of one LLM. Requests that stream, or that ask for logarithms of probabilities themselves, are left as they are."""

    def __init__(self, llm: Any, channel: Channel) -> None:
        self._llm, self._channel = llm, channel
        self._model = clipped(str(getattr(getattr(llm, "args", None), "model", "")), MODEL_BYTES)
        self._original = llm.generate_async
        llm.generate_async = functools.wraps(self._original)(lambda *args, **kwargs: self._generate(*args, **kwargs))
        channel.run(lambda: channel.begin(wire.ServerHello(model=self._model, framework="tensorrt-llm")))

    def close(self) -> None:
        vars(self._llm).pop("generate_async", None)

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        params: Any = kwargs.get("sampling_params", args[PARAMS] if len(args) > PARAMS else None)
        # Without parameters the LLM takes those of the model, which are not known here.
        plain = params is not None and not kwargs.get("streaming") and not getattr(params, "logprobs", None)
        if not (self._channel.sampling.take() and plain and len(args) <= PARAMS + 1):
            return self._original(*args, **kwargs)
        asked = copy.copy(params)
        asked.logprobs = record.TOP
        began = time.perf_counter()
        inputs = {"inputs": args[INPUTS]} if args else {}
        output = self._original(**inputs, **{**kwargs, "sampling_params": asked})
        return self._hidden(output, began)

    def _hidden(self, output: Any, began: float) -> Any:
        """`output`, an instance of a subclass of its own class that takes out what the user did not ask for once it is there."""
        attachment = self
        kind = type(output)

        def done(one: Any) -> Any:
            if not vars(one).get("_sentinel_done"):
                vars(one)["_sentinel_done"] = True
                attachment._take_out(one, began)
            return one

        class Hidden(kind):  # type: ignore[misc,valid-type]
            def result(self, *args: Any, **kwargs: Any) -> Any:
                return done(super().result(*args, **kwargs))

            async def aresult(self) -> Any:
                return done(await super().aresult())

            def __await__(self) -> Any:
                return self.aresult().__await__()

        Hidden.__name__, Hidden.__qualname__, Hidden.__module__ = kind.__name__, kind.__qualname__, kind.__module__
        output.__class__ = Hidden
        return output

    def _take_out(self, output: Any, began: float) -> None:
        for one in output.outputs:
            logprobs, one.logprobs = one.logprobs, []
            tokens = list(one.token_ids)
            prompt = len(getattr(output, "prompt_token_ids", None) or ())
            self._channel.look(
                lambda logprobs=logprobs, tokens=tokens, prompt=prompt: self._record(logprobs, tokens, prompt, began)  # type: ignore[misc]
            )

    def _record(self, logprobs: Any, tokens: list[int], prompt: int, began: float) -> None:
        positions = list(zip(tokens, logprobs or (), strict=False))
        chosen = [float(position[token].logprob) for token, position in positions]
        top = [sorted((float(one.logprob) for one in position.values()), reverse=True) for _, position in positions]
        width = min((len(row) for row in top), default=0)
        took = round(1e6 * (time.perf_counter() - began))
        self._channel.put(
            wire.StreamSamplesRequest(
                sample=wire.RequestSample(
                    time_us=time.time_ns() // 1000,
                    kind=wire.RequestSample.KIND_COMPLETION,
                    model=self._model,
                    prompt_tokens=prompt,
                    completion_tokens=len(tokens),
                    first_byte_us=took,
                    total_us=took,
                    blocks=record.blocks(record.from_top(chosen, [row[:width] for row in top])) if width else [],
                )
            )
        )
