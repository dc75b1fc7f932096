"""Finds GPUs that compute wrong answers, from inside an inference server.

import sentinel_inference
monitor = sentinel_inference.InferenceMonitor.from_config("/etc/sentinel/config/sentinel.yaml")
monitor.attach_vllm(engine)
"""

from __future__ import annotations

from ._version import __version__
from .config import ConfigError
from .monitor import InferenceMonitor

__all__ = ["ConfigError", "InferenceMonitor", "__version__"]
