"""SGLang: `Engine.generate` and `Engine.async_generate`, whose answers are mappings with `meta_info`. Not run with SGLang itself.

Written for its documented interface (`sglang.srt.entrypoints.engine.Engine`, 0.4 and 0.5): keyword arguments `return_logprob`,
`top_logprobs_num` and `stream`; in `meta_info` `output_token_logprobs` and `output_top_logprobs`, lists of (logprob, token, text).
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from . import record
from ._wire import inference_pb2 as wire
from .channel import Channel
from .limits import MODEL_BYTES, clipped

ASKED = ("return_logprob", "top_logprobs_num", "logprob_start_len", "token_ids_logprob")
ADDED = (
    "input_token_logprobs",
    "output_token_logprobs",
    "input_top_logprobs",
    "output_top_logprobs",
    "input_token_ids_logprobs",
    "output_token_ids_logprobs",
)


class SglangAttachment:
    """Of one Engine. Requests that stream, or that ask for logarithms of probabilities themselves, are left as they are."""

    def __init__(self, engine: Any, channel: Channel) -> None:
        self._engine, self._channel = engine, channel
        self._model = clipped(str(getattr(getattr(engine, "server_args", None), "model_path", "")), MODEL_BYTES)
        generate, later = engine.generate, engine.async_generate
        engine.generate = functools.wraps(generate)(lambda *args, **kwargs: self._now(generate, args, kwargs))
        engine.async_generate = functools.wraps(later)(lambda *args, **kwargs: self._later(later, args, kwargs))
        channel.run(lambda: channel.begin(wire.ServerHello(model=self._model, framework="sglang")))

    def close(self) -> None:
        for name in ("generate", "async_generate"):
            vars(self._engine).pop(name, None)

    def _now(self, generate: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not self._takes(args, kwargs):
            return generate(*args, **kwargs)
        began = time.perf_counter()
        return self._look(generate(*args, **{**kwargs, "return_logprob": True, "top_logprobs_num": record.TOP}), began)

    async def _later(self, generate: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not self._takes(args, kwargs):
            return await generate(*args, **kwargs)
        began = time.perf_counter()
        asked = {**kwargs, "return_logprob": True, "top_logprobs_num": record.TOP}
        return self._look(await generate(*args, **asked), began)

    def _takes(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        # Positions after the sampling parameters are not ours to count.
        plain = len(args) <= 2 and not kwargs.get("stream") and not any(kwargs.get(name) for name in ASKED)
        return self._channel.sampling.take() and plain

    def _look(self, result: Any, began: float) -> Any:
        for one in result if isinstance(result, list) else [result]:
            info = one["meta_info"]
            found = {name: info.pop(name, None) for name in ADDED}
            self._channel.look(lambda info=info, found=found: self._record(info, found, began))  # type: ignore[misc]
        return result

    def _record(self, info: dict[str, Any], found: dict[str, Any], began: float) -> None:
        chosen = [float(position[0]) for position in found["output_token_logprobs"] or ()]
        top = [[float(one[0]) for one in position or ()] for position in found["output_top_logprobs"] or ()]
        width = min((len(row) for row in top), default=0)
        blocks = record.blocks(record.from_top(chosen, [row[:width] for row in top])) if chosen and width else []
        took = round(1e6 * (time.perf_counter() - began))
        self._channel.put(
            wire.StreamSamplesRequest(
                sample=wire.RequestSample(
                    time_us=time.time_ns() // 1000,
                    kind=wire.RequestSample.KIND_COMPLETION,
                    model=self._model,
                    prompt_tokens=int(info.get("prompt_tokens", 0)),
                    completion_tokens=int(info.get("completion_tokens", len(chosen))),
                    first_byte_us=took,
                    total_us=took,
                    blocks=blocks,
                )
            )
        )
