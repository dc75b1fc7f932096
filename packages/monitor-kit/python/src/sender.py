"""Sends records to the analyser of this node, from a thread of its own, and never makes the job or server wait for it."""

from __future__ import annotations

import atexit
import collections
import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from .guard import log
from .quiet_grpc import grpc

# Records that wait; the oldest gives way, and is counted.
QUEUE_RECORDS = 1024
FIRST_RETRY_S = 0.5
LAST_RETRY_S = 30.0
# What the end of the process waits for the rest to be sent; then for the thread to end.
END_WAIT_S = 5.0
GIVEN_UP_WAIT_S = 1.0


class Record(Protocol):
    """A message of the stream, which says how many were dropped before it."""

    dropped: int

    def SerializeToString(self) -> bytes: ...


R = TypeVar("R", bound=Record)
A = TypeVar("A")


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
        self._target = f"unix:{socket_path}"
        self._hello = hello
        self._complete = complete or (lambda _, done: done)
        self._on_answer = on_answer
        self._queue: collections.deque[R] = collections.deque()
        self._change = threading.Condition()
        self._dropped = 0
        self._told = False
        self._ended = False
        self._call: Any = None
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._run, name="sentinel-sender", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @property
    def dropped(self) -> int:
        return self._dropped

    def put(self, record: R) -> None:
        """Never waits but for the short moment in which the other thread holds the queue."""
        if self._process != os.getpid():
            return
        with self._change:
            if len(self._queue) >= QUEUE_RECORDS:
                self._queue.popleft()
                self._dropped += 1
            self._queue.append(record)
            self._change.notify()

    def close(self) -> None:
        """Sends what waits, for at most END_WAIT_S, and ends the thread, for at most GIVEN_UP_WAIT_S."""
        atexit.unregister(self.close)
        if self._process != os.getpid():
            return
        with self._change:
            self._ended = True
            self._change.notify()
        self._thread.join(END_WAIT_S)
        if self._thread.is_alive():
            call = self._call
            if call is not None:
                call.cancel()
            self._thread.join(GIVEN_UP_WAIT_S)

    def _run(self) -> None:
        wait = FIRST_RETRY_S
        while not self._ended:
            began = self._stream()
            if self._ended:
                break
            self._tell_once()
            wait = FIRST_RETRY_S if began else min(2 * wait, LAST_RETRY_S)
            with self._change:
                self._change.wait_for(lambda: self._ended, wait)

    def _stream(self) -> bool:
        """One stream until it breaks or the job ends; true where the analyser answered."""
        began = False
        options = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
        try:
            with grpc.insecure_channel(self._target, options=options) as channel:
                method = channel.stream_stream(
                    self._stream_of.method,
                    request_serializer=lambda record: record.SerializeToString(),
                    response_deserializer=self._stream_of.answer.FromString,  # type: ignore[attr-defined]
                )
                over = threading.Event()
                self._call = call = method(self._requests(over))
                call.add_callback(over.set)
                for answer in call:
                    began = True
                    if self._on_answer is not None:
                        self._on_answer(answer)
        except grpc.RpcError as reason:
            log.debug("stream to the analyser: %s", reason)
        except Exception:
            log.debug("stream to the analyser failed", exc_info=True)
        finally:
            self._call = None
        return began

    def _requests(self, over: threading.Event) -> Iterator[R]:
        hello = self._hello()
        hello.dropped = self._dropped
        yield hello
        done = False
        while True:
            with self._change:
                while not self._queue and not self._ended and not over.is_set():
                    self._change.wait(0.2)
                if over.is_set() or not self._queue:
                    return
                record = self._queue.popleft()
                record.dropped = self._dropped
            done = self._complete(record, done) or done
            yield record

    def _tell_once(self) -> None:
        if self._told:
            return
        self._told = True
        with contextlib.suppress(Exception):
            log.warning(
                "the analyser does not answer on %s: %s goes on, and what it does not get is dropped and counted; start it with: %s",
                self._target,
                self._stream_of.going_on,
                self._stream_of.command,
            )
