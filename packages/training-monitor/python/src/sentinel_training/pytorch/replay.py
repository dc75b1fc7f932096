"""A micro-batch computed again by the rank itself, by its neighbour, and where they disagree by a third rank.

All ranks of a replica group come here in the same step, before the optimizer changes the parameters.
"""

from __future__ import annotations

import contextlib
import struct
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from .._kit.checksum import checksum, to_bytes
from .._kit.guard import log
from .._wire import training_pb2 as wire
from .barrier import NotDeterministicError, RefusedError
from .capture import Capture, Capturing, NotCaptured, from_bytes
from .environment import fingerprint
from .exchange import Exchange, ExchangeError
from .python_state import PythonState, UnknownStateError
from .recompute import compiles, is_deterministic, recompute

# Micro-batches of one round that a third rank computes.
MAX_TIE_BREAKS = 2
# Rounds without an answer of any rank, after which there are no more.
MAX_EMPTY_ROUNDS = 3
MAX_OF_ONE_RANK = 2
_ROUND = struct.Struct(">IQB16sI16s4s42s")
_MAGIC = 0x52504C59
# Of the reason why a rank does not replay, what fits into a message.
_REASON_BYTES = 42


@dataclass(frozen=True)
class Answer:
    rank: int
    digest: bytes
    again: bool


@dataclass(frozen=True)
class Round:
    rank: int
    answers: tuple[Answer, ...]
    # The original need not be the same bits as a repeat.
    may_differ: bool = False

    def record(self, step: int, time_us: int, asked: bool) -> wire.ReplayRound:
        answers = [wire.ReplayAnswer(rank=a.rank, digest=a.digest, again=a.again) for a in self.answers]
        return wire.ReplayRound(
            step=step,
            time_us=time_us,
            rank=self.rank,
            answers=answers,
            asked=asked,
            original_may_differ=self.may_differ,
        )


@dataclass(frozen=True)
class Heard:
    """What one rank said: a digest, or only that it has none; how many bytes its micro-batch takes; and what it computes from and on."""

    digest: bytes | None
    size: int
    parameters: bytes
    environment: bytes

    def is_like(self, other: Heard) -> bool:
        """Must the two give the same bits?"""
        return (self.parameters, self.environment) == (other.parameters, other.environment)


class Replay:
    def __init__(
        self, module: nn.Module, device: torch.device, rank: int, ring: tuple[int, ...], exchange: Exchange | None
    ) -> None:
        self._module, self._device, self._rank, self._ring, self._exchange = module, device, rank, ring, exchange
        # False: the job computes with kernels of which a replay cannot give the same bits. None: not known yet.
        self.original_counts: bool | None = None
        self.why_none = ""
        self._empty = 0
        self._refused = ""
        self._parameters, self._environment = bytes(16), bytes(4)
        self._said: set[str] = set()
        # A round was seen in which not everything differed.
        self._agreed = False

    def run(self, step: int, capturing: Capturing) -> list[Round]:
        """Rounds of the ranks of this ring; the same list on all of them.

        Raises:
            NotCaptured: replays can find nothing in this job; says why.
            RefusedError: they would change something that the job has, and have not, or need not give the same bits.
            ExchangeError: another rank does not take part.
        """
        capture = capturing.capture if capturing.capture is not None and capturing.capture.complete else None
        original = _host(capturing.digest()) if capture is not None else None
        self._refused = capturing.refused
        if self._exchange is not None and len(self._ring) > 1:
            return self._with_others(self._exchange, step, capture, original)
        own = self._compute(capture) if capture is not None else None
        if self._refused:
            raise RefusedError(self._refused)
        return self._judge([] if original is None or own is None else [self._round(self._rank, original, own)])

    def _with_others(
        self, exchange: Exchange, step: int, capture: Capture | None, original: bytes | None
    ) -> list[Round]:
        data = b""
        if capture is not None:
            try:
                data = capture.to_bytes()
            except NotCaptured:
                data = b""
        self._parameters = _host(checksum(self._computed_from()))
        self._environment = fingerprint(self._device)
        originals = self._tell(exchange, step, original, len(data))
        mine = originals[self._rank]
        if any(originals[rank].environment != mine.environment for rank in self._ring):
            self._say_once("some ranks have other hardware, libraries or settings")
        if any(originals[rank].parameters != mine.parameters for rank in self._ring):
            self._say_once("the models of some ranks hold other parameters or constants")
        owns = self._tell(exchange, step, self._compute(capture) if capture is not None else None, 0)
        next_rank, last_rank = self._neighbour(self._rank, 1), self._neighbour(self._rank, -1)
        theirs = self._pass_on(exchange, data, next_rank, originals[last_rank].size, last_rank)
        again = self._again(theirs, capture)
        neighbours = self._tell(exchange, step, again, 0)
        rounds = []
        for rank in self._ring:
            first, second = originals[rank].digest, owns[rank].digest
            third = neighbours[self._neighbour(rank, 1)].digest
            if first is not None and second is not None:
                like = third is not None and originals[rank].is_like(originals[self._neighbour(rank, 1)])
                others = (Answer(self._neighbour(rank, 1), third, True),) if like and third is not None else ()
                rounds.append(self._round(rank, first, second, others))
        judged = self._judge(rounds)
        return self._break_ties(exchange, step, judged, data, originals, capture)

    def _round(self, rank: int, original: bytes, own: bytes, others: tuple[Answer, ...] = ()) -> Round:
        may_differ = compiles() or not is_deterministic(self._device)
        return Round(rank, (Answer(rank, original, False), Answer(rank, own, True), *others), may_differ)

    def _judge(self, rounds: list[Round]) -> list[Round]:
        """What most ranks show at once is the job's way to compute, not one rank's hardware."""
        self._empty = 0 if rounds else self._empty + 1
        if self._empty >= MAX_EMPTY_ROUNDS:
            raise NotCaptured(self.why_none or "no micro-batch could be captured")
        if not rounds:
            return []
        differ = sum(1 for one in rounds if one.answers[0].digest != one.answers[1].digest)
        # A rank without others that repeated itself before and then does not is what a replay is there for.
        most_differ = 2 * differ > len(rounds) and not (len(self._ring) == 1 and self._agreed)
        if self.original_counts is None or most_differ:
            self.original_counts = 2 * differ <= len(rounds) and (len(rounds) > 1 or differ == 0)
        if not self.original_counts:
            rounds = [replace(one, answers=tuple(a for a in one.answers if a.again)) for one in rounds]
            if len(self._ring) == 1:
                raise NotCaptured("this job's kernels give other bits each time, and no other rank compares")
        unlike = sum(1 for one in rounds if _differ(one))
        # One faulty rank is wrong about two micro-batches, its own and its neighbour's; among two ranks that is all of them.
        common = unlike > MAX_OF_ONE_RANK and 2 * unlike > len(rounds)
        if common or (unlike == len(rounds) and not self._agreed and len(self._ring) > 1):
            raise NotCaptured("ranks compute other bits from the same micro-batch")
        self._agreed = self._agreed or unlike < len(rounds)
        return rounds

    def _break_ties(
        self,
        exchange: Exchange,
        step: int,
        rounds: list[Round],
        data: bytes,
        heard: dict[int, Heard],
        own: Capture | None,
    ) -> list[Round]:
        if len(self._ring) < 3:
            return rounds
        disputed = [
            one.rank
            for one in rounds
            if _differ(one)
            and heard[one.rank].size > 0
            and heard[one.rank].is_like(heard[self._neighbour(one.rank, 2)])
        ][:MAX_TIE_BREAKS]
        answers: dict[int, Answer] = {}
        for rank in disputed:
            third = self._neighbour(rank, 2)
            digest: bytes | None = None
            if rank == self._rank:
                exchange.wait(exchange.send(_bytes_tensor(data), third))
            elif third == self._rank:
                work, received = exchange.receive(heard[rank].size, rank)
                exchange.wait(work)
                digest = self._again(received.numpy().tobytes(), own)
            said = self._tell(exchange, step, digest, 0)[third].digest
            if said is not None:
                answers[rank] = Answer(third, said, True)
        return [replace(r, answers=(*r.answers, answers[r.rank])) if r.rank in answers else r for r in rounds]

    def _again(self, data: bytes, own: Capture | None) -> bytes | None:
        """Another rank's micro-batch; None where it was not sent, or this rank cannot compute it."""
        if not data or own is None:
            return None
        try:
            return self._compute(from_bytes(data, own, self._device), of_another=True)
        except Exception as reason:
            log.debug("another rank's micro-batch cannot be read: %s", reason)
            return None

    def _computed_from(self) -> list[Tensor]:
        """Parameters, and what else of tensors the model's Python objects hold."""
        constants: list[Tensor] = []
        with contextlib.suppress(UnknownStateError):
            constants = PythonState(self._module).constants()
        return [one.detach().to(self._device) for one in (*self._module.parameters(), *constants)]

    def _compute(self, capture: Capture, of_another: bool = False) -> bytes | None:
        """None where it fails: a rank that stays away from the exchange would make the others wait."""
        if self._refused:
            return None
        state = None
        try:
            state = PythonState(self._module)
            if state.digest() != capture.values:
                self.why_none = "the model's attributes were changed between a forward pass and its optimizer's step"
                if of_another:
                    self._say_once("the model's attributes hold other values on another rank")
                return None
            return _host(recompute(self._module, capture, self._device))
        except (RefusedError, UnknownStateError) as reason:
            self._refused = f"{reason}; nothing was changed"
            return None
        except NotDeterministicError as reason:
            self._refused = str(reason)
            return None
        except Exception as reason:
            log.debug("a micro-batch cannot be computed again: %s: %s", type(reason).__name__, reason)
            self.why_none = f"{type(reason).__name__}: {reason}"
            return None
        finally:
            if state is not None:
                state.restore()

    def _tell(self, exchange: Exchange, step: int, digest: bytes | None, size: int) -> dict[int, Heard]:
        """Raises RefusedError on all ranks where one says that its model must not be replayed."""
        why = self._refused.encode()[:_REASON_BYTES]
        message = _ROUND.pack(
            _MAGIC, step, digest is not None, digest or bytes(16), size, self._parameters, self._environment, why
        )
        heard: dict[int, Heard] = {}
        refused = self._refused
        for rank, answer in exchange.now(message).items():
            magic, at, has, theirs, length, parameters, environment, why = _ROUND.unpack_from(answer)
            if magic != _MAGIC or at != step:
                raise ExchangeError(f"rank {rank} is not at step {step}")
            heard[rank] = Heard(theirs if has else None, length, parameters, environment)
            refused = refused or (
                f"rank {rank} says: {said}" if (said := why.rstrip(b"\0").decode(errors="ignore")) else ""
            )
        if refused:
            raise RefusedError(refused)
        return heard

    def _say_once(self, unlike: str) -> None:
        if unlike not in self._said:
            self._said.add(unlike)
            log.info("%s: their replays are not compared with this one's", unlike)

    def _pass_on(self, exchange: Exchange, data: bytes, to: int, size: int, of: int) -> bytes:
        sent = exchange.send(_bytes_tensor(data), to) if data else None
        received = b""
        if size > 0:
            work, tensor = exchange.receive(size, of)
            exchange.wait(work)
            received = tensor.numpy().tobytes()
        exchange.wait(sent)
        return received

    def _neighbour(self, rank: int, distance: int) -> int:
        return self._ring[(self._ring.index(rank) + distance) % len(self._ring)]


def _differ(one: Round) -> bool:
    return len({answer.digest for answer in one.answers}) > 1


def _host(digest: Tensor) -> bytes:
    h1, h2 = (int(word) for word in digest.tolist())
    return to_bytes(h1, h2)


def _bytes_tensor(data: bytes) -> Tensor:
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)
