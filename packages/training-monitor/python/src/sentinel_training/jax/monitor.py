"""The monitor that a user attaches to a JAX job. It runs outside of what the job compiles, and changes none of it."""

from __future__ import annotations

import functools
import math
import os
import socket
import struct
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy

from .. import __version__, config
from .._kit.guard import Guard, log
from .._wire import training_pb2 as wire
from ..checkpoint_record import record
from ..manifest import Manifest, Part, digest_parts, read, write
from ..pace import FIRST_LOOK, LOOK_INTERVAL, Pace
from ..sender import Sender
from . import reduce

Function = TypeVar("Function", bound=Callable[..., Any])
# Samples that wait for their devices; the oldest gives way.
MAX_SAMPLES = 8
SUFFIX = ".sentinel.json"


@dataclass
class _Sample:
    step: int
    time_us: int
    steps: int
    step_us: int
    gradients: Any = None
    weights: Any = None
    loss: Any = None
    checksums: dict[int, tuple[Any, Any]] | None = None

    def ready(self) -> bool:
        arrays: list[Any] = [self.gradients, self.weights, self.loss]
        arrays += [one for pair in (self.checksums or {}).values() for one in pair]
        return all(one.is_ready() for one in arrays if hasattr(one, "is_ready"))


class TrainingMonitor:
    """Watches one JAX process. Whatever fails in it ends a detector, with one line in the log, never the job."""

    def __init__(self, config_path: str | os.PathLike[str] | None = None) -> None:
        self._guard = Guard()
        try:
            self._settings = config.load(config_path)
        except config.ConfigError as reason:
            log.error("%s; the monitor goes on with its defaults there", reason)
            self._settings = config.Settings(**reason.values)
        self._sender: Sender | None = None
        self._step = self._last_sample = 0
        self._waiting: deque[_Sample] = deque()
        self._began = time.perf_counter()
        self.given_up = 0
        self._guard.wrap("the training monitor", self._set_up)()

    def attach(self, update: Any) -> Any:
        """An optax transformation, or its `update` function, that is watched; to be called outside of jax.jit.

        `update(gradients, state, parameters)` gives `(updates, state)` as before.
        """
        if callable(update):
            return self._watched(update, self._of_update)
        try:
            watched = self._watched(update.update, self._of_update)
            return update._replace(update=watched) if hasattr(update, "_replace") else _With(update, watched)
        except AttributeError as reason:
            self._guard.off("the training monitor", f"{reason}; attach_step the training step instead")
            return update

    def attach_step(
        self,
        step: Function,
        *,
        parameters: Callable[[Any], Any] = lambda result: result[0],
        state: Callable[[Any], Any] = lambda result: result[1],
        loss: Callable[[Any], Any] = lambda result: result[2] if len(result) > 2 else None,
    ) -> Function:
        """A whole training step, compiled or not, that is watched. What it gives back is picked apart by the three functions."""
        return self._watched(step, lambda _, result: (None, parameters(result), state(result), loss(result)))

    def saved(self, path: str | os.PathLike[str], tree: Any) -> None:
        """Says that `tree` was saved at `path`, and writes its manifest beside it."""
        if self._settings.verify_on_save:
            self._guard.wrap("checkpoint hash on save", self._saved)(Path(path), tree)

    def loaded(self, path: str | os.PathLike[str], tree: Any) -> None:
        """Compares what was loaded from `path` with the manifest beside it."""
        if self._settings.verify_on_load:
            self._guard.wrap("checkpoint hash on load", self._loaded)(Path(path), tree)

    def detach(self) -> None:
        """Sends what waits, and ends the thread."""
        self._guard.wrap("the training monitor", lambda: self._advance(wait=True))()
        if self._sender is not None:
            self._sender.close()
            self._sender = None

    def _watched(
        self, function: Function, parts: Callable[[tuple[Any, ...], Any], tuple[Any, Any, Any, Any]]
    ) -> Function:
        after = self._guard.wrap("the training monitor", self._after)

        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            after(parts, args, result)
            return result

        return watched  # type: ignore[return-value]

    @staticmethod
    def _of_update(args: tuple[Any, ...], result: Any) -> tuple[Any, Any, Any, Any]:
        return args[0], args[2] if len(args) > 2 else None, result[1], None

    def _set_up(self) -> None:
        settings = self._settings
        self._pace = Pace(
            {
                "statistics": settings.statistics_interval_steps,
                "replicas": settings.comparison_interval_steps if settings.cross_rank_enabled else 0,
                "replay": 0,
            },
            settings.overhead_budget_pct,
        )
        # A device is what a rank is elsewhere: each has its own copy of what is replicated.
        self._ranks = {device: rank for rank, device in enumerate(jax.devices())}
        self._named: list[str] = []

    def _connect(self, groups: dict[int, int]) -> Sender:
        node = os.environ.get("NODE_NAME") or socket.gethostname()
        mine = {self._ranks[device] for device in jax.local_devices()}
        places = [
            wire.RankPlace(node=node if rank in mine else "", replica_group=groups.get(rank, 0))
            for rank in self._ranks.values()
        ]
        hello = wire.RankHello(
            job_id=(self._settings.job_id or Path(sys.argv[0] or "python").stem)[:128],
            run_id=uuid.uuid4().hex,
            rank=min(mine),
            ranks=places,
            framework=f"jax {jax.__version__}",
            library_version=__version__,
        )
        return Sender(self._settings.socket_path, hello, self._settings.path)

    def _after(self, parts: Callable[[tuple[Any, ...], Any], Any], args: tuple[Any, ...], result: Any) -> None:
        began = time.perf_counter()
        if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(result)):
            self._guard.off("the training monitor", "it is called inside jax.jit; attach_step the compiled step")
            return
        self._step += 1
        length, self._began = began - self._began, began
        statistics, replicas = self._pace.due("statistics", self._step), self._pace.due("replicas", self._step)
        if statistics or replicas:
            try:
                found = parts(args, result)
            except (LookupError, TypeError) as reason:
                why = f"what a step gives back is not as expected ({type(reason).__name__}: {reason})"
                self._guard.off(
                    "the training monitor", f"{why}; attach_step(step, parameters=…, state=…, loss=…) says where it is"
                )
                return
            self._take(found, statistics, replicas, length)
        self._advance()
        spent = time.perf_counter() - began
        if statistics:
            self._pace.cost("statistics", spent)
        self._pace.step(max(length, 1e-6))
        if self._step == FIRST_LOOK or self._step % LOOK_INTERVAL == 0:
            self._pace.intervals = self._pace.wishes()

    def _take(self, parts: tuple[Any, Any, Any, Any], statistics: bool, replicas: bool, length: float) -> None:
        gradients, parameters, state, loss = parts
        weights = reduce.numbers(parameters)
        if self._sender is None:
            self._sender = self._connect(self._groups([*weights, *reduce.numbers(state)]))
        one = _Sample(self._step, time.time_ns() // 1000, self._step - self._last_sample, int(length * 1e6))
        if statistics:
            self._last_sample = self._step
            found, held = reduce.numbers(gradients, floating=True), reduce.numbers(parameters, floating=True)
            one.gradients = reduce.gradient_statistics(found) if found else None
            one.weights = reduce.weight_statistics(held) if held else None
            one.loss = loss
            if found and not self._named:
                counted = {id(leaf) for leaf in found}
                paths = jax.tree_util.tree_leaves_with_path(gradients)
                self._named = [jax.tree_util.keystr(path) for path, leaf in paths if id(leaf) in counted]
        if replicas:
            one.checksums = self._checksums(weights, reduce.numbers(state))
        self._waiting.append(one)
        if len(self._waiting) > MAX_SAMPLES:
            self._waiting.popleft()
            self.given_up += 1

    def _groups(self, arrays: list[Any]) -> dict[int, int]:
        """Devices that hold the same parts of all arrays, by the first of them; those that are alone in that are left out."""
        alike: dict[tuple[str, ...], list[int]] = {}
        for device, parts in reduce.by_device(arrays).items():
            alike.setdefault(tuple(index for index, _ in parts), []).append(self._ranks[device])
        return {rank: 1 + min(ranks) for ranks in alike.values() if len(ranks) > 1 for rank in ranks}

    def _checksums(self, parameters: list[Any], state: list[Any]) -> dict[int, tuple[Any, Any]]:
        first, second = reduce.by_device(parameters), reduce.by_device(state)
        if len(first.keys() | second.keys()) < 2:
            return {}
        return {
            self._ranks[device]: (
                reduce.checksum([part for _, part in first.get(device, [])]),
                reduce.checksum([part for _, part in second.get(device, [])]),
            )
            for device in first.keys() | second.keys()
        }

    def _advance(self, *, wait: bool = False) -> None:
        while self._waiting and (wait or self._waiting[0].ready()):
            self._report(self._waiting.popleft())

    def _report(self, one: _Sample) -> None:
        if one.checksums:
            sums = {rank: b"".join(_big_endian(part) for part in pair) for rank, pair in one.checksums.items()}
            everyone = [sums.get(rank, b"") for rank in self._ranks.values()]
            self._put(replicas=wire.ReplicaRound(step=one.step, time_us=one.time_us, checksums=everyone))
        if one.gradients is None and one.weights is None:
            return
        step = wire.StepReport(step=one.step, time_us=one.time_us, steps=one.steps, step_us=max(0, one.step_us))
        if one.gradients is not None:
            bad, *norms = numpy.asarray(one.gradients).tolist()
            step.nonfinite_gradients = int(bad)
            step.layer_norms[:] = norms
            step.gradient_norm = step.local_gradient_norm = math.hypot(*norms)
        if one.weights is not None:
            bad, largest = numpy.asarray(one.weights).tolist()
            step.nonfinite_weights, step.max_weight = int(bad), largest
        if one.loss is not None:
            step.loss = float(numpy.asarray(one.loss).reshape(-1)[0])
        self._put(step=step)

    def _put(self, **body: Any) -> None:
        if self._sender is not None:
            self._sender.layers(self._named)
            self._sender.put(wire.StreamStepsRequest(**body))

    def _saved(self, path: Path, tree: Any) -> None:
        now = self._digest(tree, self._settings.hash_algorithm)
        write(path.with_name(path.name + SUFFIX), now)
        self._put_checkpoint(record(path, wire.CheckpointReport.EVENT_SAVED, now, None, self._step))

    def _loaded(self, path: Path, tree: Any) -> None:
        kept = read(path.with_name(path.name + SUFFIX))
        now = self._digest(tree, kept.algorithm if kept is not None else self._settings.hash_algorithm)
        self._put_checkpoint(record(path, wire.CheckpointReport.EVENT_LOADED, now, kept, self._step))

    def _put_checkpoint(self, what: wire.StreamStepsRequest) -> None:
        if self._sender is None:
            self._sender = self._connect({})
        self._sender.put(what)

    def _digest(self, tree: Any, algorithm: str) -> Manifest:
        leaves = jax.tree_util.tree_leaves_with_path(tree)
        return digest_parts((_part(path, leaf) for path, leaf in leaves), algorithm, "", step=self._step)


class _With:
    """An optimizer that is no named tuple, such as optax.MultiSteps, with another `update`."""

    def __init__(self, optimizer: Any, update: Any) -> None:
        self._optimizer, self.update = optimizer, update

    def __getattr__(self, name: str) -> Any:
        return getattr(self._optimizer, name)


def _part(path: Any, leaf: Any) -> Part:
    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    array = numpy.ascontiguousarray(numpy.asarray(leaf))
    data = array.reshape(-1).view(numpy.uint8) if array.size else b""
    return Part(jax.tree_util.keystr(path), f"{array.dtype}{list(array.shape)}", data)


def _big_endian(sums: Any) -> bytes:
    return struct.pack(">4I", *numpy.asarray(sums).tolist())
