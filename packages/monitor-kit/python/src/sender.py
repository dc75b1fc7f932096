"""Sends records to the analyser of this node, from a thread of its own, and never makes the job or server wait for it.

The thread is Python's alone and its sockets are closed in a forked child: a job forks while it connects and sends (docs/adr/0038).
"""

from __future__ import annotations

import atexit
import collections
import contextlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from .flight import Flight
from .guard import log
from .link import Link, Waker
from .rpc import Call, CallFailed

# Records that wait; the oldest gives way, and is counted.
QUEUE_RECORDS = 1024
# Of messages that are written at once; the last may go beyond it.
BATCH_BYTES = 65_536
# Records of so long go together: whenever the thread runs it takes the interpreter from the job.
GATHER_S = 0.01
FIRST_RETRY_S = 0.5
LAST_RETRY_S = 30.0
# Where nothing was answered for so long the log says so.
SILENCE_S = 10.0
# What the end of the process waits for the rest to be sent and answered; then for the thread to end.
END_WAIT_S = 1.5
GIVEN_UP_WAIT_S = 0.5
USER_AGENT = "sentinel-monitor"
# What is said of the analyser.
AWAY = "does not answer on"
SILENT = "is connected and answers nothing on"


class Record(Protocol):
    """A message of the stream, which says how many were dropped before it."""

    dropped: int

    def SerializeToString(self) -> bytes: ...


class Answer(Protocol):
    """Says with how many messages of the stream the analyser has done."""

    handled: int


R = TypeVar("R", bound=Record)
A = TypeVar("A", bound=Answer)


@dataclass(frozen=True)
class Stream(Generic[R, A]):
    """A stream of the wire contract: records one way, answers that nobody waits for the other."""

    # As gRPC names it, /SERVICE/METHOD.
    method: str
    answer: type[A]
    # What goes on where nobody answers, and the command that starts the analyser.
    going_on: str
    command: str


class Sender(Generic[R, A]):
    """`put` from the job's thread; one daemon thread connects, sends, and connects again."""

    def __init__(
        self,
        stream: Stream[R, A],
        socket_path: str,
        hello: Callable[[], R],
        complete: Callable[[R, bool], bool] | None = None,
        on_answer: Callable[[A], None] | None = None,
    ) -> None:
        """All three are called in the thread: `hello` for the first record of each connection, `complete` with each later one before it
        is sent and whether it has given true since the hello, `on_answer` with what the analyser answers."""
        self._stream_of = stream
        self._path = socket_path
        self._hello = hello
        self._complete = complete or (lambda _, done: done)
        self._on_answer = on_answer
        self._queue: collections.deque[R] = collections.deque()
        self._lock = threading.RLock()
        self._waker = Waker()
        # The thread waits for a record.
        self._idle = False
        self._dropped = 0
        # Dropped records that an analyser knows of.
        self._told = 0
        self._said: set[str] = set()
        self._end_s: float | None = None
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._run, name="sentinel-sender", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @property
    def dropped(self) -> int:
        """Records that no analyser is known to have looked at, but for those on their way."""
        return self._dropped

    def put(self, record: R) -> None:
        """Never waits but for the short moment in which the other thread holds the queue."""
        if self._process != os.getpid():
            return
        with self._lock:
            if self._end_s is not None:
                self._dropped += 1
                return
            if len(self._queue) >= QUEUE_RECORDS:
                self._queue.popleft()
                self._dropped += 1
            self._queue.append(record)
            idle, self._idle = self._idle, False
        if idle:
            self._waker.wake()

    def close(self) -> None:
        """Sends what waits and hears that it was looked at, for at most END_WAIT_S; the thread ends at most GIVEN_UP_WAIT_S later."""
        atexit.unregister(self.close)
        if self._process != os.getpid():
            return
        with self._lock:
            if self._end_s is None:
                self._end_s = time.monotonic() + END_WAIT_S
        self._waker.wake()
        self._thread.join(END_WAIT_S + GIVEN_UP_WAIT_S)

    def _run(self) -> None:
        wait_s = FIRST_RETRY_S
        while True:
            answered = self._stream()
            if self._end_s is not None:
                break
            wait_s = FIRST_RETRY_S if answered else min(2 * wait_s, LAST_RETRY_S)
            self._waker.wait(wait_s)
        with self._lock:
            self._dropped += len(self._queue)
            self._queue.clear()
        self._waker.close()

    def _stream(self) -> bool:
        """One stream until it breaks or the job ends; true where the analyser answered."""
        flight = Flight(self._told)
        try:
            with contextlib.closing(Link(self._path, self._waker)) as link:
                self._talk(link, flight)
        except Exception as reason:
            log.debug("stream to the analyser: %s", reason, exc_info=not isinstance(reason, OSError | CallFailed))
            self._say(AWAY, "start it", f" ({reason})")
        with self._lock:
            self._dropped += flight.records
            self._idle = False
        self._told = flight.told
        return flight.answered

    def _talk(self, link: Link, flight: Flight) -> None:
        """Until the job ends.

        :raises OSError, CallFailed: the stream broke."""
        call = Call(self._stream_of.method, USER_AGENT)
        hello = self._hello()
        hello.dropped = flight.send(self._dropped, time.monotonic())
        call.send(hello.SerializeToString())
        done = False
        while True:
            if not link.full:
                done = self._fill(call, flight, done)
            link.send(call.outgoing())
            if self._over(flight):
                break
            idle = self._idle
            received = link.wait(self._patience_s(flight))
            if received is not None:
                self._read(call, flight, received)
            if idle and not self._idle and self._end_s is None:
                time.sleep(GATHER_S)
        if call.waiting == 0:
            call.end()
            link.send(call.outgoing())

    def _fill(self, call: Call, flight: Flight, done: bool) -> bool:
        """Takes from the queue what may be sent now."""
        while call.ready and flight.room and call.waiting < BATCH_BYTES:
            with self._lock:
                self._idle = not self._queue
                if self._idle:
                    break
                record = self._queue.popleft()
                record.dropped = flight.send(self._dropped, time.monotonic())
            done = self._complete(record, done) or done
            call.send(record.SerializeToString())
        return done

    def _read(self, call: Call, flight: Flight, received: bytes) -> None:
        if received == b"":
            raise CallFailed("the analyser closed the connection")
        for message in call.receive(received):
            answer: A = self._stream_of.answer.FromString(message)  # type: ignore[attr-defined]
            flight.answer(answer.handled, time.monotonic())
            if self._on_answer is not None:
                self._on_answer(answer)
        if call.over is not None:
            raise CallFailed(call.over)

    def _over(self, flight: Flight) -> bool:
        """The job ends, and all was looked at or there is no more time; says so where nothing is answered."""
        silent = not flight.empty and time.monotonic() >= flight.since_s + SILENCE_S
        ends = self._end_s
        late = ends is not None and not flight.empty and time.monotonic() >= ends
        if silent or late:
            self._say(SILENT, "it may hang, start it again")
        return ends is not None and (silent or late or (flight.empty and not self._queue))

    def _patience_s(self, flight: Flight) -> float | None:
        """How long to wait for an answer, None = for ever."""
        ends = [] if self._end_s is None else [self._end_s]
        if not flight.empty and SILENT not in self._said:
            ends.append(flight.since_s + SILENCE_S)
        return max(0.0, min(ends) - time.monotonic()) if ends else None

    def _say(self, what: str, do: str, why: str = "") -> None:
        """Once each."""
        if what in self._said:
            return
        self._said.add(what)
        with contextlib.suppress(Exception):
            log.warning(
                "the analyser %s unix:%s: %s goes on, and what it does not get is dropped and counted; %s with: %s%s",
                what,
                self._path,
                self._stream_of.going_on,
                do,
                self._stream_of.command,
                why,
            )
