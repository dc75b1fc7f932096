"""Small messages of equal size that all ranks give each other, in the same order on every rank.

Two ways: `post` starts one and later steps collect it; `now` waits. A message carries the step that it belongs to, so that
ranks that no longer do the same steps notice it, whatever they sent.
"""

from __future__ import annotations

import collections
import contextlib
import datetime
import time
from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import Tensor

MESSAGE_BYTES = 224
# Exchanges under way; where the oldest of so many has not ended, some rank no longer takes part.
MAX_UNDER_WAY = 8
# A rank that a replay waits for longer than this has left.
NOW_WAIT_S = 30.0
POLL_S = 0.0002

# By rank, in ascending order.
Messages = dict[int, bytes]


class ExchangeError(RuntimeError):
    """Ranks do not take part any more, or do not do the same steps."""


class Exchange:
    def __init__(self, group: dist.ProcessGroup) -> None:
        self._group = group
        # Global ranks that take part.
        self.ranks: tuple[int, ...] = tuple(dist.get_process_group_ranks(group))
        self._under_way: collections.deque[tuple[dist.Work, Tensor, Callable[[Messages], None]]] = collections.deque()

    def post(self, message: bytes, then: Callable[[Messages], None]) -> None:
        """Starts an exchange. `then` gets the messages by rank, from a later call of `collect`.

        Raises:
            ExchangeError: the oldest exchange of MAX_UNDER_WAY has not ended.
        """
        self.collect()
        if len(self._under_way) >= MAX_UNDER_WAY:
            raise ExchangeError("a rank no longer takes part in comparisons")
        work, answers = self._start(message)
        self._under_way.append((work, answers, then))

    def collect(self) -> None:
        """Hands on what has ended. Waits for nothing."""
        while self._under_way and self._under_way[0][0].is_completed():
            self.finish()

    def finish(self) -> None:
        """Waits for the oldest exchange under way, at most NOW_WAIT_S, and hands it on.

        Raises:
            ExchangeError: some rank did not take part.
        """
        work, answers, then = self._under_way.popleft()
        self.wait(work)
        then(self._split(answers))

    def now(self, message: bytes) -> Messages:
        """Messages by rank. Waits at most NOW_WAIT_S.

        Raises:
            ExchangeError: some rank did not take part.
        """
        self.collect()
        if len(self._under_way) >= MAX_UNDER_WAY - 1:
            raise ExchangeError("a rank no longer takes part in comparisons")
        work, answers = self._start(message)
        self.wait(work)
        self.collect()
        return self._split(answers)

    def send(self, data: Tensor, to: int) -> dist.Work | None:
        return dist.isend(data, to, group=self._group)

    def receive(self, size: int, of: int) -> tuple[dist.Work | None, Tensor]:
        data = torch.empty(size, dtype=torch.uint8)
        return dist.irecv(data, of, group=self._group), data

    def wait(self, work: dist.Work | None) -> None:
        if work is None:
            return
        try:
            work.wait(datetime.timedelta(seconds=NOW_WAIT_S))
        except Exception as reason:
            raise ExchangeError(f"a rank no longer takes part in comparisons ({reason})") from None

    def leave(self) -> None:
        """Takes part no more. Who goes on meets a message of no step, and need not wait for this rank."""
        with contextlib.suppress(Exception):
            self._last_words = self._start(b"")

    def settle(self, seconds: float) -> None:
        """Waits for what is under way, before the job ends."""
        end = time.monotonic() + seconds
        self.collect()
        while self._under_way and time.monotonic() < end:
            time.sleep(POLL_S)
            self.collect()

    def _start(self, message: bytes) -> tuple[dist.Work, Tensor]:
        mine = torch.frombuffer(bytearray(message.ljust(MESSAGE_BYTES, b"\0")), dtype=torch.uint8)
        answers = torch.empty(len(self.ranks) * MESSAGE_BYTES, dtype=torch.uint8)
        work = dist.all_gather(list(torch.split(answers, MESSAGE_BYTES)), mine, group=self._group, async_op=True)
        assert work is not None
        return work, answers

    def _split(self, answers: Tensor) -> Messages:
        data = bytes(answers.numpy().tobytes())
        return {rank: data[at * MESSAGE_BYTES : (at + 1) * MESSAGE_BYTES] for at, rank in enumerate(self.ranks)}
