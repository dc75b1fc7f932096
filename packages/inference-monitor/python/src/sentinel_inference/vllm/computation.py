"""What determines the numbers that an engine of vLLM computes: not how its model is called, nor where it lies."""

from __future__ import annotations

import hashlib
import json
from typing import Any

# Of a configuration of Transformers, at any depth: places, names, and who wrote it.
NAMES = frozenset(
    ("_name_or_path", "name_or_path", "_commit_hash", "auto_map", "id2label", "label2id", "transformers_version")
)

# By section of a VllmConfig. One that a release does not have is none.
SETTINGS = {
    "model_config": (
        *("dtype", "quantization", "revision", "max_model_len", "enforce_eager", "logprobs_mode", "model_impl"),
        *("disable_sliding_window", "disable_cascade_attn"),
    ),
    "cache_config": ("cache_dtype", "block_size"),
    "parallel_config": (
        *("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size", "prefill_context_parallel_size"),
        *("decode_context_parallel_size", "enable_expert_parallel", "disable_custom_all_reduce", "all2all_backend"),
    ),
    "attention_config": ("backend",),
    "speculative_config": ("method", "num_speculative_tokens"),
}


def digest(config: Any, workers: list[dict[str, Any]]) -> bytes:
    """SHA-256 of it. `config`: a VllmConfig. `workers`: what `sentinel_describe` returned."""
    import vllm

    model = config.model_config
    described = getattr(model.hf_config, "to_dict", None)
    equal = {
        "architecture": unnamed(described()) if described is not None else str(model.hf_config),
        "settings": {
            section: {name: getattr(getattr(config, section, None), name, None) for name in names}
            for section, names in SETTINGS.items()
        },
        "vllm": vllm.__version__,
        "workers": sorted({json.dumps({**one, "gpu": ""}, sort_keys=True) for one in workers}),
    }
    return hashlib.sha256(json.dumps(equal, sort_keys=True, default=str).encode()).digest()


def unnamed(value: Any) -> Any:
    """A configuration without names and places."""
    if isinstance(value, dict):
        return {key: unnamed(inner) for key, inner in value.items() if key not in NAMES}
    return [unnamed(inner) for inner in value] if isinstance(value, list | tuple) else value
