"""The monitor for PyTorch: eager, torch.compile, DistributedDataParallel, FSDP2."""

from .monitor import TrainingMonitor

__all__ = ["TrainingMonitor"]
