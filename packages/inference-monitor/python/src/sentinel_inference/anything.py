"""Any callable that returns logits, logarithms of probabilities, or tensors."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from . import alike, record, tensors
from ._wire import inference_pb2 as wire
from .channel import Channel
from .limits import MODEL_BYTES, clipped

FIELDS = ("logits", "logprobs", "tokens")


def wrapped(function: Any, channel: Channel, model: str, read: Callable[[Any], Any] | None) -> Any:
    """`function` whose sampled results are recorded."""
    name = clipped(model or getattr(function, "__name__", type(function).__name__), MODEL_BYTES)
    channel.run(lambda: channel.begin(hello(name)))
    look = read or (lambda result: result)

    def after(result: Any, began: float) -> None:
        if channel.sampling.take():
            channel.look(lambda: channel.put(request(look(result), name, began)))

    return alike.wrapped(function, after)


def hello(model: str) -> wire.ServerHello:
    """Of a server of which nothing is known that would make it comparable with another one but the name of its model."""
    return wire.ServerHello(model=model, framework="generic", config_hash=hashlib.sha256(model.encode()).digest())


def request(result: Any, model: str, began: float) -> wire.StreamSamplesRequest:
    """The record of what a callable returned, which began at `began` of time.perf_counter."""
    found = fields(result)
    took = round(1e6 * (time.perf_counter() - began))
    sample = wire.RequestSample(time_us=time.time_ns() // 1000, model=model, first_byte_us=took, total_us=took)
    tokens = measured(found)
    if tokens is not None:
        sample.kind = wire.RequestSample.KIND_COMPLETION
        sample.completion_tokens = len(tokens.chosen)
        sample.blocks.extend(record.blocks(tokens))
    else:
        sample.kind = wire.RequestSample.KIND_TENSORS
        sample.outputs.extend(tensors.statistics(found))
    return wire.StreamSamplesRequest(sample=sample)


def fields(result: Any) -> dict[str, Any]:
    """By name; one array is called "logits", and one number "result".

    Raises:
        TypeError: it is none of what can be read.
    """
    if isinstance(result, Mapping):
        return {str(name): value for name, value in result.items()}
    found = {name: getattr(result, name) for name in FIELDS if getattr(result, name, None) is not None}
    if found:
        return found
    if hasattr(result, "shape"):
        return {"logits" if len(result.shape) > 0 else "result": result}
    raise TypeError(
        f"a result of type {type(result).__name__} cannot be read: give `read`, which makes a mapping with logits or logprobs of it"
    )


def measured(found: Mapping[str, Any]) -> record.Tokens | None:
    """None where there are neither logits nor logarithms of probabilities, but tensors."""
    logits, logprobs, tokens = (found.get(name) for name in FIELDS)
    if logits is not None:
        return record.from_logits(tensors.to_numpy(logits), None if tokens is None else tensors.to_numpy(tokens))
    if logprobs is None:
        return None
    values = tensors.to_numpy(logprobs)
    if values.ndim == 1:
        one = record.from_top(values, values.reshape(-1, 1))
        return record.Tokens(one.chosen, impossible=one.impossible)
    return record.from_logprobs(values, None if tokens is None else tensors.to_numpy(tokens))
