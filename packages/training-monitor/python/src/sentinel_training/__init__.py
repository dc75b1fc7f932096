"""Finds GPUs that compute wrong answers, from inside a training job.

    import sentinel_training
    monitor = sentinel_training.pytorch.TrainingMonitor(config_path="/etc/sentinel/config/sentinel.yaml")
    monitor.attach(model, optimizer)

`sentinel_training.pytorch` and `sentinel_training.jax` are imported when they are first used, each with its framework.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import jax as jax
    from . import pytorch as pytorch

__version__ = "0.1.0a0"
_FRAMEWORKS = ("pytorch", "jax")


def __getattr__(name: str) -> ModuleType:
    if name in _FRAMEWORKS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
