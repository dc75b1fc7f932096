"""What a record says of an output tensor: size, and the range of its values. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ._wire import inference_pb2 as wire
from .limits import NAME_BYTES, clipped

# As KServe v2 calls types of numbers.
DATATYPES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "bfloat16": "BF16",
    "float32": "FP32",
    "float64": "FP64",
}
MAX_OUTPUTS = 64


def to_numpy(value: Any) -> Any:
    """Of a tensor of PyTorch, JAX or anything that numpy reads; types that numpy lacks become float32."""
    if hasattr(value, "detach"):
        value = value.detach()
        if str(value.dtype) == "torch.bfloat16":
            value = value.float()
        return value.cpu().numpy()
    return np.asarray(value)


def statistics(outputs: Mapping[str, Any]) -> list[wire.TensorStats]:
    """Of the first MAX_OUTPUTS tensors by name. Text is only counted."""
    return [_one(name, value) for name, value in list(outputs.items())[:MAX_OUTPUTS]]


def _one(name: str, value: Any) -> wire.TensorStats:
    datatype = DATATYPES.get(str(getattr(value, "dtype", "")).removeprefix("torch."), "")
    values = to_numpy(value)
    found = wire.TensorStats(
        name=clipped(name, NAME_BYTES),
        datatype=datatype or DATATYPES.get(str(values.dtype), "BYTES"),
        elements=values.size,
    )
    if values.dtype.kind not in "biuf":
        return found
    numbers = values.astype(np.float64, copy=False).reshape(-1)
    finite = numbers[np.isfinite(numbers)]
    found.nonfinite = int(numbers.size - finite.size)
    if finite.size > 0:
        found.min, found.max, found.mean = float(finite.min()), float(finite.max()), float(finite.mean())
    return found
