"""What the sender does with analysers that hang, die, refuse, are none, or get more than they take at once."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import analyser as fake
from analyser import WAIT_S, Analyser
from conftest import PATIENCE_S
from sentinel_training._kit import flight, sender
from sentinel_training._wire import training_pb2 as wire
from sentinel_training.sender import Sender
from test_sender import sender_to, step

# Of an analyser that answers nothing, the hello left out.
ON_THEIR_WAY = flight.IN_FLIGHT_RECORDS - 1


class Process:
    """An analyser that can be stopped and killed."""

    def __init__(self, path: Path, pause_s: float = 0) -> None:
        command = [sys.executable, fake.__file__, str(path), str(pause_s)]
        place = {**os.environ, "PYTHONPATH": str(Path(sender.__file__).parents[2])}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=place)
        self.steps()

    def steps(self) -> list[int]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return [int(one) for one in self._process.stdout.readline().split()]

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def process(path: Path, pause_s: float = 0) -> Iterator[Process]:
    one = Process(path, pause_s)
    try:
        yield one
    finally:
        one.kill()


def until(what: Callable[[], object]) -> None:
    end = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def sender_that_was_answered(path: Path) -> Sender:
    """It has sent hello and step 0, and knows that both were looked at: an analyser that is stopped may just have come to them."""
    answers: list[wire.StreamStepsResponse] = []
    one = sender_to(path, answers.append)
    one.put(step(0))
    until(lambda: answers and answers[-1].handled == 2)
    return one


def test_bursts_beyond_the_window(tmp_path: Path, analyser: Analyser) -> None:
    one = sender_to(tmp_path)
    for number in range(1000):
        record = step(number)
        record.step.layer_norms[:] = [float(number)] * 12_500
        one.put(record)
    analyser.wait(lambda: len(analyser.of("step")) == 1000)
    one.close()
    assert one.dropped == 0
    assert all((got.step, got.layer_norms[-1]) == (number, number) for number, got in enumerate(analyser.of("step")))


def test_hangs_until_the_end(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    with caplog.at_level(logging.INFO, "sentinel_training"), process(tmp_path / "training.sock") as hung:
        one = sender_that_was_answered(tmp_path)
        hung.signal(signal.SIGSTOP)
        # Only now: a busy machine may have been silent for so long before.
        monkeypatch.setattr(sender, "SILENCE_S", 0.3)
        for number in range(1, 1001):
            one.put(step(number))
        until(lambda: caplog.records)
        assert one.dropped == 0
        one.close()
    assert one.dropped == 1000
    (said,) = [record.getMessage() for record in caplog.records]
    assert "is connected and answers nothing" in said and "sentinel-training-monitor --config" in said


def test_hangs_when_the_job_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "END_WAIT_S", 1.5)
    with process(tmp_path / "training.sock") as hung:
        one = sender_that_was_answered(tmp_path)
        hung.signal(signal.SIGSTOP)
        one.put(step(1))
        one.close()
        # `close` does not wait for a thread that gets no time of the machine.
        until(lambda: one.dropped == 1)
    assert one.dropped == 1
    assert "answers nothing" in caplog.text


def test_hangs_and_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "SILENCE_S", 0.3)
    with process(tmp_path / "training.sock") as hung:
        one = sender_to(tmp_path)
        hung.signal(signal.SIGSTOP)
        for number in range(500):
            one.put(step(number))
        until(lambda: caplog.records)
        # The end waits for the answers of one that goes on.
        monkeypatch.setattr(sender, "SILENCE_S", PATIENCE_S)
        hung.signal(signal.SIGCONT)
        until(lambda: hung.steps() == list(range(500)))
        one.close()
    assert one.dropped == 0


def test_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it was sent and did not answer is dropped, counted once, and told the next one; the rest goes there."""
    monkeypatch.setattr(sender, "FIRST_RETRY_S", 0.01)
    monkeypatch.setattr(sender, "LAST_RETRY_S", 0.1)
    path = tmp_path / "training.sock"
    with process(path, pause_s=600) as slow:
        one = sender_to(tmp_path)
        for number in range(500):
            one.put(step(number))
        until(lambda: len(one._queue) == 500 - ON_THEIR_WAY)
        slow.kill()
    until(lambda: one.dropped == ON_THEIR_WAY)
    later = Analyser(path)
    later.wait(lambda: len(later.of("step")) == 500 - ON_THEIR_WAY)
    assert [got.step for got in later.of("step")] == list(range(ON_THEIR_WAY, 500))
    assert {request.dropped for request in later.requests} == {ON_THEIR_WAY}
    one.close()
    later.stop()
    assert one.dropped == ON_THEIR_WAY


def test_dropped_records_are_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "FIRST_RETRY_S", 0.01)
    monkeypatch.setattr(sender, "LAST_RETRY_S", 0.1)
    path = tmp_path / "training.sock"
    one = sender_to(tmp_path)
    for number in range(sender.QUEUE_RECORDS + 10):
        one.put(step(number))
    first = Analyser(path)
    first.wait(lambda: len(first.of("step")) == sender.QUEUE_RECORDS)
    until(lambda: one._idle)
    first.stop()
    second = Analyser(path)
    second.wait(lambda: len(second.of("hello")) == 1)
    one.close()
    second.stop()
    assert max(request.dropped for request in first.requests) == 10
    assert second.requests[0].dropped == one.dropped - 10


def test_refused(tmp_path: Path, analyser: Analyser, caplog: pytest.LogCaptureFixture) -> None:
    analyser.refuses = lambda _: "hello.job_id is too long"
    one = sender_to(tmp_path)
    one.put(step(1))
    until(lambda: caplog.records)
    one.close()
    assert "hello.job_id is too long" in caplog.text
    assert one.dropped == 1


@pytest.mark.parametrize("says", [b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(range(256)) * 400, b""])
def test_no_analyser_at_all(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, says: bytes
) -> None:
    monkeypatch.setattr(sender, "FIRST_RETRY_S", 0.01)
    monkeypatch.setattr(sender, "LAST_RETRY_S", 0.01)
    asked: list[int] = []

    def answer(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                # The sender may close it before it was told everything.
                with connection, suppress(OSError):
                    asked.append(len(connection.recv(65_536)))
                    connection.sendall(says)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "training.sock"))
        listener.listen()
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        one = sender_to(tmp_path)
        for number in range(10):
            one.put(step(number))
        until(lambda: len(asked) > 3)
        one.close()
        listener.shutdown(socket.SHUT_RDWR)
    assert one.dropped == 10
    assert len(caplog.records) == 1
