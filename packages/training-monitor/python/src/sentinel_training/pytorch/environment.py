"""On what a rank computes: where any of it differs, sound devices may give other bits."""

from __future__ import annotations

import hashlib
import os
import platform
from typing import Any

import torch


def fingerprint(device: torch.device) -> bytes:
    """4 bytes, equal on ranks whose hardware, libraries and settings that decide about kernels are."""
    parts: list[Any] = [
        torch.__version__,
        torch.version.cuda,
        torch.version.hip,
        platform.machine(),
        torch.backends.cpu.get_cpu_capability(),
        torch.get_num_threads(),
        torch.get_float32_matmul_precision(),
        os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    ]
    if device.type == "cuda":
        # Only here: where there is no GPU it may end the process.
        cudnn: Any = torch.backends.cudnn
        found = torch.cuda.get_device_properties(device)
        parts += [cudnn.version(), found.name, found.major, found.minor, found.multi_processor_count]
    return hashlib.blake2b(repr(parts).encode(), digest_size=4).digest()
