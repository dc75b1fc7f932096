"""Attaches the monitor to an engine of vLLM, V1: `LLM`, `LLMEngine` or `AsyncLLM`."""

from __future__ import annotations

import math
import time
from typing import Any

from .. import manifest
from .._kit.guard import log
from .._wire import inference_pb2 as wire
from ..channel import Channel
from ..limits import FAILURE_BYTES, FRAMEWORK_BYTES, MODEL_BYTES, clipped
from ..weights import Weights
from . import computation, plugin
from .drivers import AsyncDriver, StepDriver, finish
from .jobs import IDLE_S, PIECE_PAUSE_S, Job, Pause, Rpc, answer, checksum
from .sampler import asked
from .watch import Open, Watch, sample

# Of collective_rpc; each of them loads or moves weights.
CHANGING = (
    "update_weights",
    "finish_weight_update",
    "reload_weights",
    "load_weights",
    "update_config",
    "wake_up",
    "reset_weights",
)
WEIGHTS = "the checksum of the weights"


class VllmAttachment:
    """Of one engine."""

    def __init__(self, engine: Any, channel: Channel) -> None:
        inner = getattr(engine, "llm_engine", engine)
        if not hasattr(inner, "output_processor"):
            raise TypeError(
                f"{type(engine).__name__} is no engine of vLLM V1: give an LLM, an LLMEngine or an AsyncLLM"
            )
        plugin.load()
        self._engine, self._channel = inner, channel
        self._config = inner.vllm_config
        self._encode = lambda text: list(inner.renderer.tokenizer.encode(text))
        settings = channel.settings
        self._weights = Weights(manifest.read(settings.manifest_file) if settings.manifest_file else None)
        self._due = 0.0
        self._hello: wire.ServerHello | None = None
        self._watch_changes()
        self._driver: AsyncDriver | StepDriver
        if hasattr(inner, "step"):
            channel.run(lambda: self._begin(finish(inner, self._described())))
            channel.run(lambda: finish(inner, self._checked(0)))
            self._driver = StepDriver(inner, self._job, channel.run)
        else:
            self._driver = AsyncDriver(inner, self._job)
        self._watch = Watch(inner, self._take, self._ended, channel.run, asked(self._config.model_config.max_logprobs))

    def close(self) -> None:
        self._watch.remove()
        self._driver.close()
        vars(self._engine.engine_core).pop("collective_rpc", None)
        vars(self._engine.engine_core).pop("collective_rpc_async", None)

    def reloaded(self) -> None:
        """Weights were exchanged on purpose."""
        self._weights.reloaded()
        self._due = 0.0

    def _take(self) -> bool:
        self._driver.begin()
        return self._channel.sampling.take()

    def _ended(self, one: Open) -> None:
        model = self._config.model_config.served_model_name
        name = model if isinstance(model, str) else self._config.model_config.model
        replay = bool(one.tokens) and self._channel.replays.due(time.monotonic())
        record = sample(one, time.perf_counter(), time.time_ns() // 1000, clipped(name, MODEL_BYTES), replay)
        self._channel.put(wire.StreamSamplesRequest(sample=record))

    def _job(self) -> Job:
        """All that is done beside the requests, for ever."""
        if self._hello is None:
            self._begin((yield from self._described()))
        channel = self._channel
        while True:
            question = channel.question()
            if question is not None:
                try:
                    found = yield from answer(question, self._encode)
                except Exception as reason:
                    found = wire.Answer(
                        id=question.id, failure=clipped(f"{type(reason).__name__}: {reason}", FAILURE_BYTES)
                    )
                channel.put(wire.StreamSamplesRequest(answer=found))
            elif time.monotonic() >= self._due:
                yield from self._checked(PIECE_PAUSE_S)
            else:
                yield Pause(IDLE_S)

    def _checked(self, pause_s: float) -> Job:
        """Reports a checksum of the weights; never again where that fails."""
        interval = self._channel.settings.weights_interval_s
        self._due = math.inf
        if self._hello is None or not interval or not self._channel.guard.runs(WEIGHTS):
            return
        self._weights.begin()
        try:
            shards = yield from checksum(pause_s)
        except Exception as reason:
            self._channel.guard.off(WEIGHTS, f"{type(reason).__name__}: {reason}")
            return
        report = self._weights.report(shards, time.time_ns() // 1000)
        self._due = time.monotonic() + interval if report is not None else 0.0
        if report is not None:
            self._channel.put(wire.StreamSamplesRequest(weights=report))

    def _described(self) -> Job:
        try:
            return (yield Rpc("sentinel_describe"))
        except Exception as reason:
            self._channel.guard.off(
                WEIGHTS,
                f"the workers do not know the library ({type(reason).__name__}): vLLM loads it by its plugin sentinel_inference, "
                "which the variable VLLM_PLUGINS must not leave out",
            )
            return [{}] * self._config.parallel_config.world_size

    def _begin(self, workers: list[dict[str, Any]]) -> None:
        self._hello = hello(self._config, workers)
        self._channel.begin(self._hello)

    def _watch_changes(self) -> None:
        core = self._engine.engine_core
        for name in ("collective_rpc", "collective_rpc_async"):
            original = getattr(type(core), name, None)
            if original is not None:
                setattr(core, name, self._seen(getattr(core, name)))

    def _seen(self, call: Any) -> Any:
        def seen(method: Any, *args: Any, **kwargs: Any) -> Any:
            if method in CHANGING:
                log.debug("weights change by %s", method)
                self.reloaded()
            return call(method, *args, **kwargs)

        return seen


def hello(config: Any, workers: list[dict[str, Any]]) -> wire.ServerHello:
    """`config`: a VllmConfig. `workers`: what `sentinel_describe` returned."""
    import vllm

    model = config.model_config
    served = model.served_model_name if isinstance(model.served_model_name, str) else model.model
    return wire.ServerHello(
        model=clipped(served, MODEL_BYTES),
        framework=clipped(f"vllm {vllm.__version__}", FRAMEWORK_BYTES),
        config_hash=computation.digest(config, workers),
        dtype=str(model.dtype).removeprefix("torch."),
        gpus=[one.get("gpu", "") for one in workers],
        answers=True,
    )
