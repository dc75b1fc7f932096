"""One of two processes of a JAX job, two CPU devices each: python jax_process.py PROCESS PORT CONFIG FAULTY|-1"""

from __future__ import annotations

import os
import sys

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"

from typing import Any

import jax
import jax.numpy as jnp
import numpy
import optax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import sentinel_training
from sentinel_training._kit import sender

PROCESS, PORT, CONFIG, FAULTY = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
STEPS, FAULT_AT = 8, 5
OPTIMIZER = optax.adamw(1e-2)


@jax.jit
def train(parameters: Any, state: Any, batch: Any) -> Any:
    loss, gradients = jax.value_and_grad(lambda p: jnp.mean(jnp.square(jnp.tanh(batch @ p["up"]) - 1)))(parameters)
    updates, state = OPTIMIZER.update(gradients, state, parameters)
    return optax.apply_updates(parameters, updates), state, loss


def flipped(array: Any) -> Any:
    """The same array; the copy on the faulty device, where it is of this process, has one other bit."""
    copies = []
    for shard in array.addressable_shards:
        data = numpy.array(shard.data)
        if shard.device == jax.devices()[FAULTY]:
            data.view(numpy.uint32)[1, 1] ^= 1 << 12
        copies.append(jax.device_put(data, shard.device))
    return jax.make_array_from_single_device_arrays(array.shape, array.sharding, copies)


def main() -> None:
    # A busy machine may stand still for seconds.
    sender.END_WAIT_S = sender.SILENCE_S = 30.0
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(f"127.0.0.1:{PORT}", 2, PROCESS)
    mesh = jax.make_mesh((4,), ("data",), axis_types=(AxisType.Auto,))
    everywhere, split = NamedSharding(mesh, PartitionSpec()), NamedSharding(mesh, PartitionSpec("data"))
    start = numpy.random.default_rng(0).normal(size=(8, 32)).astype(numpy.float32)
    parameters = {"up": jax.make_array_from_callback(start.shape, everywhere, lambda at: start[at])}
    state = jax.jit(OPTIMIZER.init, out_shardings=everywhere)(parameters)
    monitor = sentinel_training.jax.TrainingMonitor(config_path=CONFIG)
    step = monitor.attach_step(train)
    for number in range(1, STEPS + 1):
        batch = numpy.random.default_rng(number).normal(size=(16, 8)).astype(numpy.float32)
        parameters, state, _ = step(
            parameters, state, jax.make_array_from_callback(batch.shape, split, lambda at, b=batch: b[at])
        )
        if number == FAULT_AT and FAULTY >= 0:
            parameters = {"up": flipped(parameters["up"])}
    jax.block_until_ready(parameters)
    monitor.detach()


main()
