"""What workers of vLLM do for the library, called by `collective_rpc`. Runs in the process of each worker, between two of its steps.

What they return is of plain types, which vLLM can send; they raise nothing: what failed comes back under "failure".
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

# Attribute of a worker.
_WALK = "_sentinel_walk"

Method = Callable[..., dict[str, Any]]


def _told(method: Method) -> Method:
    @functools.wraps(method)
    def told(worker: Any, *args: Any) -> dict[str, Any]:
        try:
            return method(worker, *args)
        except Exception as reason:
            return {"failure": f"{type(reason).__name__}: {reason}"[:500]}

    return told


@_told
def sentinel_describe(worker: Any) -> dict[str, Any]:
    """Its device: UUID as nvidia-smi writes it, "" for a CPU; name of the device; version of PyTorch."""
    import torch

    device = getattr(worker, "device", None)
    kind = str(getattr(device, "type", "cpu"))
    found: dict[str, Any] = {"gpu": "", "device": kind, "torch": str(torch.__version__)}
    if kind == "cuda":
        properties = torch.cuda.get_device_properties(device)
        uuid = str(properties.uuid)
        found["gpu"] = uuid if uuid.startswith("GPU-") else f"GPU-{uuid}"
        found["device"] = str(properties.name)
    return found


@_told
def sentinel_weights(worker: Any, again: bool) -> dict[str, Any]:
    """Goes on with a checksum of the weights; `again` begins a new one. Without "tensors" there is more to do: call again."""
    from ..resident import Walk

    walk = getattr(worker, _WALK, None)
    if again or walk is None:
        walk = Walk(worker.model_runner.get_model())
        setattr(worker, _WALK, walk)
    if not walk.go_on():
        return {}
    setattr(worker, _WALK, None)
    return {"tensors": walk.result(), "bytes": walk.bytes}


METHODS = (sentinel_describe, sentinel_weights)
