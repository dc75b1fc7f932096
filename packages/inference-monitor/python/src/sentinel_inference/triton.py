"""Models of Triton: the Python backend, whose models answer by `execute`, and pytriton, whose models are functions of arrays."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import time
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import alike, tensors
from ._wire import inference_pb2 as wire
from .channel import Channel
from .limits import MODEL_BYTES, clipped


class TritonAttachment:
    """Of one TritonPythonModel: replaces its `execute`, and looks at responses of decoupled models where they are sent."""

    def __init__(self, model: Any, channel: Channel) -> None:
        import c_python_backend_utils as backend

        self._model, self._channel = model, channel
        self._name = name(model)
        self._execute = model.execute
        self._own = vars(model).get("execute")
        self._sender: Any = backend.InferenceResponseSender
        self._send = self._sender.send
        model.execute = self._executed
        self._sender.send = _method(self._sent)
        channel.run(lambda: channel.begin(hello(self._name, "triton python backend", model)))

    def close(self) -> None:
        if self._own is None:
            vars(self._model).pop("execute", None)
        else:
            self._model.execute = self._own
        self._sender.send = self._send

    def _executed(self, requests: Sequence[Any]) -> Any:
        began = time.perf_counter()
        returned = self._execute(requests)
        # What Triton itself asks of it.
        if asyncio.iscoroutine(returned):
            return self._later(returned, began)
        self._returned(returned, began)
        return returned

    async def _later(self, execution: Coroutine[Any, Any, Any], began: float) -> Any:
        returned = await execution
        self._returned(returned, began)
        return returned

    def _returned(self, responses: Any, began: float) -> None:
        # A decoupled model returns nothing; one that sends some responses itself returns None for them.
        for response in responses if isinstance(responses, list) else ():
            if response is not None and self._channel.sampling.take():
                self._channel.look(lambda response=response: self._record(response, began))  # type: ignore[misc]

    def _sent(self, sender: Any, *args: Any, **kwargs: Any) -> Any:
        response = kwargs.get("response", args[0] if args else None)
        if response is not None and not isinstance(response, int) and self._channel.sampling.take():
            self._channel.look(lambda: self._record(response, time.perf_counter()))
        return self._send(sender, *args, **kwargs)

    def _record(self, response: Any, began: float) -> None:
        if response.has_error():
            return
        outputs = {one.name(): one.as_numpy() if one.is_cpu() else _torch(one) for one in response.output_tensors()}
        self._channel.put(sample(outputs, self._name, began))


def name(model: Any) -> str:
    """Of the model, as its folder is called: REPOSITORY/NAME/VERSION/model.py."""
    return Path(inspect.getfile(type(model))).resolve().parent.parent.name


def version(model: Any) -> str:
    """Of the model, as the folder of its version is called; a function of pytriton has none."""
    return Path(inspect.getfile(type(model))).resolve().parent.name if hasattr(model, "execute") else ""


def watched(function: Any, channel: Channel) -> Any:
    """An infer function of pytriton, before or after its `@batch`: it takes and returns arrays, or lists of requests and of results."""
    called = getattr(function, "__name__", type(function).__name__)
    channel.run(lambda: channel.begin(hello(called, "pytriton", function)))

    def look(result: Any, began: float) -> None:
        if channel.sampling.take():
            channel.look(lambda: _look(result, channel, called, began))

    return alike.wrapped(function, look)


def _look(result: Any, channel: Channel, name: str, began: float) -> None:
    for index, one in enumerate(result if isinstance(result, list | tuple) else [result]):
        outputs = one if isinstance(one, Mapping) else {f"output{index}": one}
        channel.put(sample(outputs, name, began))


def sample(outputs: Mapping[str, Any], model: str, began: float) -> wire.StreamSamplesRequest:
    took = round(1e6 * (time.perf_counter() - began))
    found = wire.RequestSample(
        time_us=time.time_ns() // 1000,
        kind=wire.RequestSample.KIND_TENSORS,
        model=clipped(model, MODEL_BYTES),
        first_byte_us=took,
        total_us=took,
        outputs=tensors.statistics(outputs),
    )
    return wire.StreamSamplesRequest(sample=found)


def hello(model: str, framework: str, code: Any) -> wire.ServerHello:
    """Two replicas are comparable where they run the same version under the same name."""
    equal = f"{framework} {model} {version(code)} {type(code).__qualname__}"
    return wire.ServerHello(
        model=clipped(model, MODEL_BYTES), framework=framework, config_hash=hashlib.sha256(equal.encode()).digest()
    )


def _method(function: Any) -> Any:
    """A function of a class, which is given the instance."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    return method


def _torch(tensor: Any) -> Any:
    import torch.utils.dlpack

    return torch.utils.dlpack.from_dlpack(tensor.to_dlpack())
