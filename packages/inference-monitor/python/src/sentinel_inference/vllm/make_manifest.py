"""Loads a model in vLLM as the server does, and writes down the checksums of its weights."""

from __future__ import annotations

from typing import Any

from .. import manifest
from . import plugin
from .drivers import finish
from .jobs import checksum


def make(path: str, options: dict[str, Any]) -> str:
    """`options`: of vLLM's engine, which must be those of the server. Returns what was done."""
    import vllm

    plugin.load()
    engine = vllm.LLM(**options).llm_engine
    shards = finish(engine, checksum(0))
    about = {"model": str(options["model"]), "framework": f"vllm {vllm.__version__}"}
    manifest.write(path, shards, about)
    size = sum(shard.size for shard in shards)
    return f"{path}: {sum(len(shard.tensors) for shard in shards)} tensors of {len(shards)} workers, {size} bytes"
