"""The monitor for JAX: around an optax update function, or around a whole training step."""

from .monitor import TrainingMonitor

__all__ = ["TrainingMonitor"]
