"""Real JAX on four CPU devices of one process."""

from __future__ import annotations

import os

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"

import logging
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy
import optax
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import sentinel_training
from analyser import Analyser
from conftest import Configure
from sentinel_training._wire import training_pb2 as wire

FAULTY = 2
MESH = jax.make_mesh((4,), ("data",), axis_types=(AxisType.Auto,))
EVERYWHERE = NamedSharding(MESH, PartitionSpec())
OPTIMIZER = optax.adamw(1e-2)


def begin() -> tuple[Any, Any]:
    keys = jax.random.split(jax.random.key(0), 2)
    parameters = {"up": jax.random.normal(keys[0], (8, 32)), "down": jax.random.normal(keys[1], (32, 1))}
    return jax.device_put((parameters, OPTIMIZER.init(parameters)), EVERYWHERE)


def loss_of(parameters: Any, batch: Any) -> Any:
    return jnp.mean(jnp.square(jnp.tanh(batch @ parameters["up"]) @ parameters["down"] - 1))


@jax.jit
def compiled_step(parameters: Any, state: Any, batch: Any) -> Any:
    loss, gradients = jax.value_and_grad(loss_of)(parameters, batch)
    updates, state = OPTIMIZER.update(gradients, state, parameters)
    return optax.apply_updates(parameters, updates), state, loss


def batches(count: int) -> list[Any]:
    split = NamedSharding(MESH, PartitionSpec("data"))
    return [jax.device_put(jax.random.normal(jax.random.key(n), (16, 8)), split) for n in range(count)]


def run_steps(step: Any, count: int = 8, fault_at: int = 0) -> Any:
    parameters, state = begin()
    for number, batch in enumerate(batches(count), 1):
        parameters, state, _ = step(parameters, state, batch)
        if number == fault_at:
            parameters = {**parameters, "up": flipped(parameters["up"])}
    return parameters, state


def flipped(array: Any) -> Any:
    """The same array, of which one device holds a copy with one other bit."""
    copies = []
    for shard in array.addressable_shards:
        data = numpy.array(shard.data)
        if shard.device == jax.devices()[FAULTY]:
            data.view(numpy.uint32)[3, 3] ^= 1 << 12
        copies.append(jax.device_put(data, shard.device))
    return jax.make_array_from_single_device_arrays(array.shape, array.sharding, copies)


def test_step_bit_for_bit(analyser: Analyser, configure: Configure) -> None:
    plain = run_steps(compiled_step)
    monitor = sentinel_training.jax.TrainingMonitor(config_path=configure())
    watched = run_steps(monitor.attach_step(compiled_step))
    monitor.detach()
    for one, other in zip(jax.tree.leaves(plain), jax.tree.leaves(watched), strict=True):
        assert numpy.asarray(one).tobytes() == numpy.asarray(other).tobytes()
    assert [step.step for step in analyser.of("step")] == [2, 4, 6, 8]
    assert all(step.HasField("loss") and step.max_weight > 0 for step in analyser.of("step"))
    assert [place.replica_group for place in analyser.of("hello")[0].ranks] == [1, 1, 1, 1]
    assert [len(set(one.checksums)) for one in analyser.of("replicas")] == [1, 1, 1, 1]


def test_device_with_another_bit(analyser: Analyser, configure: Configure) -> None:
    monitor = sentinel_training.jax.TrainingMonitor(config_path=configure())
    run_steps(monitor.attach_step(compiled_step), fault_at=5)
    monitor.detach()
    rounds = {one.step: [sums[:16] for sums in one.checksums] for one in analyser.of("replicas")}
    assert len(set(rounds[4])) == 1
    others = {sums for rank, sums in enumerate(rounds[6]) if rank != FAULTY}
    assert len(others) == 1 and rounds[6][FAULTY] not in others


def test_update_function_of_optax(analyser: Analyser, configure: Configure) -> None:
    def train(optimizer: Any) -> Any:
        parameters, state = begin()
        for batch in batches(6):
            gradients = jax.jit(jax.grad(loss_of))(parameters, batch)
            updates, state = optimizer.update(gradients, state, parameters)
            parameters = optax.apply_updates(parameters, updates)
        return parameters, optax.tree.norm(gradients)

    plain, _ = train(OPTIMIZER)
    monitor = sentinel_training.jax.TrainingMonitor(config_path=configure())
    watched, norm = train(monitor.attach(OPTIMIZER))
    monitor.detach()
    assert all(numpy.array_equal(plain[name], watched[name]) for name in plain)
    last = analyser.of("step")[-1]
    assert last.gradient_norm == pytest.approx(float(norm), rel=1e-5)
    assert list(analyser.of("step")[0].layers) == ["['down']", "['up']"]


def test_accumulated_by_optax(analyser: Analyser, configure: Configure) -> None:
    monitor = sentinel_training.jax.TrainingMonitor(config_path=configure())
    optimizer = monitor.attach(optax.MultiSteps(OPTIMIZER, 2))
    parameters, _ = begin()
    state = optimizer.init(parameters)
    for batch in batches(4):
        gradients = jax.jit(jax.grad(loss_of))(parameters, batch)
        updates, state = optimizer.update(gradients, state, parameters)
        parameters = optax.apply_updates(parameters, updates)
    monitor.detach()
    assert optimizer.has_updated(state)
    assert [step.step for step in analyser.of("step")] == [2, 4]


def test_what_cannot_be_watched_says_so_and_runs(configure: Configure, caplog: pytest.LogCaptureFixture) -> None:
    monitor = sentinel_training.jax.TrainingMonitor(config_path=configure())
    with caplog.at_level(logging.WARNING, "sentinel_training"):
        assert monitor.attach(None) is None
    assert "attach_step" in caplog.text
    monitor = sentinel_training.jax.TrainingMonitor(config_path=configure())
    step = monitor.attach_step(lambda value: {"value": value})
    with caplog.at_level(logging.WARNING, "sentinel_training"):
        assert [step(number) for number in range(3)] == [{"value": number} for number in range(3)]
    assert "parameters=" in caplog.text
    monitor.detach()


def test_inside_of_jit_says_so(configure: Configure, caplog: pytest.LogCaptureFixture) -> None:
    monitor = sentinel_training.jax.TrainingMonitor(config_path=configure())
    update = monitor.attach(OPTIMIZER.update)
    parameters, state = begin()
    with caplog.at_level(logging.WARNING, "sentinel_training"):
        jax.jit(update)(parameters, state, parameters)
    assert "attach_step" in caplog.text
    monitor.detach()


def test_checkpoint(analyser: Analyser, configure: Configure, tmp_path: Path) -> None:
    parameters, _ = begin()
    parameters["key"] = jax.random.key(3)
    monitor = sentinel_training.jax.TrainingMonitor(config_path=configure())
    path = tmp_path / "model"
    monitor.saved(path, parameters)
    monitor.loaded(path, parameters)
    monitor.loaded(path, {**parameters, "up": parameters["up"].at[1, 1].multiply(2)})
    monitor.detach()
    saved, same, other = analyser.of("checkpoint")
    assert saved.event == wire.CheckpointReport.EVENT_SAVED
    assert same.digest == same.expected == saved.digest
    assert other.digest != other.expected and list(other.differing) == ["['up']"]
