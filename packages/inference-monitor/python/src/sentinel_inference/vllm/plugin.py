"""Loaded by vLLM in each of its processes (entry point vllm.general_plugins): its workers learn what `worker.py` does.

Where the variable SENTINEL_INFERENCE_CONFIG names a configuration file, every engine of the process is attached once it is made, so that
`vllm serve` is monitored without a line of code.
"""

from __future__ import annotations

import functools
import os
from typing import Any

from .._kit.guard import log
from . import sampler, worker

CONFIG = "SENTINEL_INFERENCE_CONFIG"
_DONE = "_sentinel_attaches"


def load() -> None:
    """May be called more than once. Never fails: vLLM goes on without it."""
    try:
        from vllm.v1.sample.sampler import Sampler
        from vllm.v1.worker.worker_base import WorkerBase

        for method in worker.METHODS:
            if not hasattr(WorkerBase, method.__name__):
                setattr(WorkerBase, method.__name__, method)
        sampler.watch(Sampler)
        if os.environ.get(CONFIG):
            _attach_all(os.environ[CONFIG])
    except Exception as reason:
        log.warning("sentinel_inference does nothing in this vLLM: %s: %s", type(reason).__name__, reason)


def _attach_all(path: str) -> None:
    from vllm.v1.engine.async_llm import AsyncLLM
    from vllm.v1.engine.llm_engine import LLMEngine

    for kind in (AsyncLLM, LLMEngine):
        if not hasattr(kind, _DONE):
            setattr(kind, _DONE, True)
            _after_making(kind, path)


def _after_making(kind: Any, path: str) -> None:
    make = kind.__init__

    @functools.wraps(make)
    def made(engine: Any, *args: Any, **kwargs: Any) -> None:
        make(engine, *args, **kwargs)
        try:
            from ..monitor import InferenceMonitor

            engine.sentinel_monitor = InferenceMonitor.from_config(path).attach_vllm(engine)
        except Exception as reason:
            log.warning("this engine is not monitored: %s: %s", type(reason).__name__, reason)

    kind.__init__ = made
