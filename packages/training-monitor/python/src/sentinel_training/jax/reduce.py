"""What is measured of arrays, in computations of its own beside the job's, on the devices where the arrays lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array


def words(array: Array) -> Array:
    """The bits of an array as flat uint32, one for each element, or two where it has 8 bytes."""
    size = array.dtype.itemsize
    if array.dtype == jnp.bool_:
        return array.reshape(-1).astype(jnp.uint32)
    if jnp.issubdtype(array.dtype, jnp.complexfloating):
        return jnp.concatenate([words(array.real), words(array.imag)])
    if size >= 4:
        return jax.lax.bitcast_convert_type(array, jnp.uint32).reshape(-1)
    narrow = {1: jnp.uint8, 2: jnp.uint16}[size]
    return jax.lax.bitcast_convert_type(array, narrow).reshape(-1).astype(jnp.uint32)


@jax.jit
def checksum(arrays: Sequence[Array]) -> Array:
    """uint32[4]: sums modulo 2^32 of x_i, (2i + 1) x_i, x_i², (2i + 1) x_i² over the words of the arrays in order.

    JAX has no 64-bit integers unless a job asks for them, so that these stand in the place of the two sums of PyTorch's.
    """
    total = jnp.zeros(4, jnp.uint32)
    position = 0
    for array in arrays:
        x = words(array)
        odd = 2 * (jnp.arange(x.size, dtype=jnp.uint32) + jnp.uint32(position % 2**32)) + 1
        square = x * x
        total += jnp.stack([part.sum(dtype=jnp.uint32) for part in (x, odd * x, square, odd * square)])
        position += x.size
    return total


@jax.jit
def gradient_statistics(gradients: Sequence[Array]) -> Array:
    """float32[1 + n]: number of arrays that hold a value that is not finite, then the L2 norm of each."""
    norms = jnp.stack([jnp.sqrt(jnp.sum(jnp.square(jnp.abs(one).astype(jnp.float32)))) for one in gradients])
    return jnp.concatenate([(~jnp.isfinite(norms)).sum(dtype=jnp.float32)[None], norms])


@jax.jit
def weight_statistics(parameters: Sequence[Array]) -> Array:
    """float32[2]: number of arrays that hold a value that is not finite, and the largest absolute value."""
    largest = jnp.stack([jnp.max(jnp.abs(one).astype(jnp.float32), initial=0) for one in parameters])
    return jnp.stack([(~jnp.isfinite(largest)).sum(dtype=jnp.float32), largest.max()])


def numbers(tree: Any, *, floating: bool = False) -> list[Array]:
    """The arrays of numbers in a tree, in its order."""
    leaves = [leaf for leaf in jax.tree.leaves(tree) if isinstance(leaf, Array)]
    kind = jnp.inexact if floating else jnp.number
    return [leaf for leaf in leaves if jnp.issubdtype(leaf.dtype, kind) or (not floating and leaf.dtype == jnp.bool_)]


def by_device(arrays: Sequence[Array]) -> dict[Any, list[tuple[str, Array]]]:
    """What each device of this process holds of the arrays: which part of it, and the part."""
    held: dict[Any, list[tuple[str, Array]]] = {}
    for array in arrays:
        for shard in array.addressable_shards:
            held.setdefault(shard.device, []).append((str(shard.index), shard.data))
    return held
