"""What every way of attaching shares: sampling, what must not fail, the stream to the analyser and its questions."""

from __future__ import annotations

import collections
import os
import time
from collections.abc import Callable

from ._kit import sender
from ._kit.guard import Guard, log
from ._wire import inference_pb2 as wire
from .config import Settings
from .sampling import Sampling, Spacing

METHOD = "/sentinel.v1.InferenceService/StreamSamples"
# Questions that wait; the oldest gives way. Whoever asked waits only for a while.
QUEUE_QUESTIONS = 8
MONITOR = "the inference monitor"
# So many results in a row that cannot be read are no exceptions.
MAX_UNREAD_IN_A_ROW = 100


class Channel:
    def __init__(self, settings: Settings, version: str, test_build: bool = False) -> None:
        self.settings = settings
        self.guard = Guard()
        self.sampling = Sampling(settings.sampling_rate if settings.enabled else 0)
        self.replays = Spacing(settings.replay_interval_s)
        # Time that the hooks took of the server's own, seconds.
        self.spent_s = 0.0
        self._version, self._test_build = version, test_build
        self._questions: collections.deque[wire.Question] = collections.deque(maxlen=QUEUE_QUESTIONS)
        self._sender: sender.Sender[wire.StreamSamplesRequest, wire.StreamSamplesResponse] | None = None
        self._hello = wire.ServerHello()
        self._process = os.getpid()
        # In a child of that process.
        self._unseen = 0
        # Requests, and results that could not be read, that the analyser was told of: by whatever stream, and by those before this one.
        self._told = self._told_before = (0, 0)
        # Sampled results of which there is no record.
        self.unread = self._unread_in_a_row = 0

    @property
    def dropped(self) -> int:
        """Records that were not sent because the analyser was away or slow; in a forked child, calls that nobody looked at."""
        return self._unseen if self._forked else 0 if self._sender is None else self._sender.dropped

    @property
    def _forked(self) -> bool:
        return self._process != os.getpid()

    def begin(self, hello: wire.ServerHello) -> None:
        """Connects, and says who this is; a second time: the server has another model."""
        hello.replica = self.settings.replica_name
        hello.library_version = self._version
        hello.test_build = self._test_build
        if self.settings.gpu_uuids:
            hello.gpus[:] = self.settings.gpu_uuids
        self._hello = hello
        if not self.settings.enabled:
            return
        if self._sender is not None:
            self._sender.put(wire.StreamSamplesRequest(hello=hello))
            return
        self._sender = sender.Sender(
            sender.Stream(
                method=METHOD,
                answer=wire.StreamSamplesResponse,
                going_on="serving",
                command=f"sentinel-inference-monitor --config {self.settings.path}",
            ),
            self.settings.socket_path,
            self._greet,
            self._count,
            self._answered,
        )

    def put(self, record: wire.StreamSamplesRequest) -> None:
        """Never waits. Nothing where there was no hello yet."""
        if self._sender is not None:
            self._sender.put(record)

    def question(self) -> wire.Question | None:
        """The next one to be answered."""
        return self._questions.popleft() if self._questions else None

    def run(self, function: Callable[[], None]) -> None:
        """Calls `function` in the server's own way; once one has failed, nothing more is called."""
        if self._forked:
            self._say_forked()
            return
        if not self.guard.runs(MONITOR):
            return
        began = time.perf_counter()
        self.guard.wrap(MONITOR, function)()
        self.spent_s += time.perf_counter() - began

    def look(self, record: Callable[[], None]) -> None:
        """Calls `record`, which looks at one result: one that cannot be read costs its record, and not the monitor."""

        def guarded() -> None:
            try:
                record()
                self._unread_in_a_row = 0
            except Exception as reason:
                self._count_unread(f"{type(reason).__name__}: {reason}")
                if self._unread_in_a_row >= MAX_UNREAD_IN_A_ROW:
                    raise

        self.run(guarded)

    def _count_unread(self, reason: str) -> None:
        self.unread += 1
        self._unread_in_a_row += 1
        # The first, the tenth, the hundredth, …
        if str(self.unread).strip("0") == "1":
            log.warning("a sampled result could not be read, %d until now: %s", self.unread, reason)
        # Where none can be read no record would tell of it.
        self.put(wire.StreamSamplesRequest())

    def _say_forked(self) -> None:
        self._unseen += 1
        if self._unseen == 1:
            log.warning(
                "this process was forked after the monitor was made, and nothing in it is looked at: make the monitor in each worker "
                "(gunicorn: in post_fork, not with --preload)"
            )

    def close(self) -> None:
        if self._sender is not None:
            self._sender.close()
            self._sender = None

    def _greet(self) -> wire.StreamSamplesRequest:
        self._told_before = self._told
        greeting = wire.StreamSamplesRequest(hello=self._hello)
        self._count(greeting, False)
        return greeting

    def _count(self, record: wire.StreamSamplesRequest, _: bool) -> bool:
        """The analyser counts from nought in each stream."""
        self._told = (self.sampling.seen, self.unread)
        record.seen, record.unread = (now - before for now, before in zip(self._told, self._told_before, strict=True))
        return False

    def _answered(self, answer: wire.StreamSamplesResponse) -> None:
        if answer.HasField("sampling_rate") and 0 <= answer.sampling_rate <= 1:
            self.sampling.rate = answer.sampling_rate
        if answer.HasField("question"):
            self._questions.append(answer.question)
