"""Samples become records: their numbers arrive from the device, ranks give each other what they compare, the analyser gets both."""

from __future__ import annotations

import math
import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from .._wire import training_pb2 as wire
from .exchange import Exchange, ExchangeError, Messages
from .looks import INTERVALS_BYTES
from .sample import BLOCKS_BYTES, Measured, Sample
from .topology import Topology

# step, flags, checksums of parameters and state, of their blocks, local norm, loss, sum of squares of the gradients, wished intervals
_MESSAGE = struct.Struct(f">IQB16s16s{BLOCKS_BYTES}sddd{INTERVALS_BYTES}s")
_MAGIC = 0x534E5452
_CHECKSUMS, _STATISTICS, _WISH, _APART = 1, 2, 4, 8
# Samples under way; where more wait, the device or a rank is that far behind, and the oldest is given up.
MAX_SAMPLES = 8


@dataclass
class Known:
    """What the host knows of a sampled step."""

    learning_rate: float | None
    steps: int
    step_us: int
    # Replicas need not be equal: since they were, this rank took a step by gradients that not all ranks share.
    apart: bool = False
    overhead_us: int = 0


@dataclass(frozen=True)
class Agreed:
    """What ranks agree on by their samples."""

    # Does this rank tell the others that it wants a replay?
    wants: Callable[[], bool]
    # Called with the step of a sample in which any rank did.
    wanted: Callable[[int], None]
    # The intervals that this rank wishes.
    intervals: Callable[[], bytes]
    # Called with the step of each sample and the intervals that the first rank wishes.
    wished: Callable[[int, bytes], None]
    # Called with the step of a sample in which all replicas were equal.
    equal: Callable[[int], None]


class Rounds:
    def __init__(
        self,
        exchange: Exchange | None,
        send: Callable[[wire.StreamStepsRequest], None],
        cost: Callable[[str, float], None],
        *,
        here: Topology,
        agreed: Agreed,
    ) -> None:
        self._exchange, self._send, self._cost = exchange, send, cost
        self._world, self._replicas, self._agreed = here.world, here.replicas, agreed
        # Steps whose samples ranks give each other now.
        self._open: deque[int] = deque()
        # Ranks over which each replica's gradients are cut; 1 = every rank holds all of them.
        self._sharded_over = len(here.together) // len(here.replicas) if here.sharded else 1
        self._waiting: deque[tuple[Sample, Known]] = deque()
        self.given_up = 0

    def add(self, sample: Sample, known: Known) -> None:
        self._waiting.append((sample, known))
        if len(self._waiting) > MAX_SAMPLES and self._exchange is None:
            self._waiting.popleft()
            self.given_up += 1

    def advance(self, *, wait: bool = False) -> None:
        """Goes on with what has arrived. Ranks exchange samples in the order of steps, whenever they arrive."""
        while self._waiting and self._waiting[0][0].arrived(wait=wait):
            sample, known = self._waiting.popleft()
            if sample.device_seconds() > 0:
                self._cost("replicas" if sample.has_checksums else "statistics", sample.device_seconds())
            self._start(sample, sample.measured(), known)
        if self._exchange is not None:
            self._exchange.collect()

    def give(self, step: int) -> None:
        """Gives the others this rank's samples up to this step. Waits for no rank."""
        if self._waiting and self._exchange is not None and self._waiting[0][0].step <= step:
            self.advance(wait=True)

    def catch_up(self, step: int) -> None:
        """Returns when every rank has every other's samples up to this step: at once where all gave theirs.

        Raises:
            ExchangeError: some rank did not take part.
        """
        self.give(step)
        while self._exchange is not None and self._open and self._open[0] <= step:
            self._exchange.finish()

    def leave(self) -> None:
        """Compares with no other rank any more."""
        self._open.clear()
        self._exchange = None

    def settle(self, seconds: float) -> None:
        self.advance(wait=True)
        if self._exchange is not None:
            self._exchange.settle(seconds)

    def _start(self, sample: Sample, measured: Measured, known: Known) -> None:
        if self._exchange is None:
            self._report(sample, measured, known, [])
            return
        flags = sample.has_checksums * _CHECKSUMS + sample.has_statistics * _STATISTICS
        flags |= self._agreed.wants() * _WISH | known.apart * _APART
        self._open.append(sample.step)
        nan = math.nan
        message = _MESSAGE.pack(
            _MAGIC,
            sample.step,
            flags,
            measured.parameters,
            measured.state,
            measured.blocks,
            nan if measured.local_norm is None else measured.local_norm,
            nan if measured.loss is None else measured.loss,
            measured.squares,
            self._agreed.intervals(),
        )
        self._exchange.post(message, lambda answers: self._compared(sample, measured, known, answers))

    def _compared(self, sample: Sample, measured: Measured, known: Known, answers: Messages) -> None:
        self._open.popleft()
        ranks = {rank: _MESSAGE.unpack_from(answer) for rank, answer in answers.items()}
        for rank, (magic, step, *_) in ranks.items():
            if magic != _MAGIC or step != sample.step:
                raise ExchangeError(f"rank {rank} is not at step {sample.step}")
        if any(flags & _WISH for _, _, flags, *_ in ranks.values()):
            self._agreed.wanted(sample.step)
        self._agreed.wished(sample.step, ranks[min(ranks)][-1])
        if sample.has_checksums:
            checksums, blocks = [b""] * self._world, [b""] * self._world
            for rank, (_, _, flags, parameters, state, theirs, *_) in ranks.items():
                checksums[rank] = parameters + state if flags & _CHECKSUMS else b""
                blocks[rank] = theirs if flags & _CHECKSUMS and rank in self._replicas else b""
            replicas = wire.ReplicaRound(step=sample.step, time_us=sample.time_us, checksums=checksums)
            equal = len({checksums[rank] for rank in self._replicas if checksums[rank]}) <= 1
            if equal:
                self._agreed.equal(sample.step)
            else:
                replicas.blocks[:] = blocks
            if equal or not any(flags & _APART for _, _, flags, *_ in ranks.values()):
                self._send(wire.StreamStepsRequest(replicas=replicas))
        self._report(sample, measured, known, [(norm, loss, squares) for *_, norm, loss, squares, _ in ranks.values()])

    def _report(
        self, sample: Sample, measured: Measured, known: Known, ranks: list[tuple[float, float, float]]
    ) -> None:
        if not sample.has_statistics:
            return
        squares = measured.squares
        if self._sharded_over > 1:
            squares = sum(theirs for _, _, theirs in ranks) * self._sharded_over / len(ranks) if ranks else math.nan
        step = wire.StepReport(
            step=sample.step,
            time_us=sample.time_us,
            loss=measured.loss,
            learning_rate=known.learning_rate,
            local_gradient_norm=measured.local_norm,
            gradient_norm=math.sqrt(squares) if self._sharded_over == 1 or ranks else None,
            max_weight=measured.max_weight,
            nonfinite_gradients=measured.nonfinite_gradients,
            nonfinite_weights=measured.nonfinite_weights,
            layer_norms=measured.layer_norms,
            steps=known.steps,
            step_us=known.step_us,
            overhead_us=known.overhead_us,
        )
        # Finite where what ranks computed is not: it is of a step that a GradScaler skipped since.
        stale = math.isfinite(squares) and not all(math.isfinite(norm) for norm, *_ in ranks)
        if stale:
            step.ClearField("local_gradient_norm")
        elif measured.local_norm is not None and len(ranks) == self._world:
            step.rank_gradient_norms[:] = [norm for norm, _, _ in ranks]
        if measured.loss is not None and len(ranks) == self._world:
            step.rank_losses[:] = [loss for _, loss, _ in ranks]
        self._send(wire.StreamStepsRequest(step=step))


def now_us() -> int:
    return time.time_ns() // 1000
