"""The job goes on at its own speed whatever the analyser does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from analyser import Analyser
from sentinel_training._kit import sender
from sentinel_training._wire import training_pb2 as wire
from sentinel_training.sender import Sender


def step(number: int) -> wire.StreamStepsRequest:
    return wire.StreamStepsRequest(step=wire.StepReport(step=number))


def sender_to(folder: Path, on_answer: Callable[[wire.StreamStepsResponse], None] | None = None) -> Sender:
    return Sender(str(folder / "training.sock"), wire.RankHello(job_id="a", rank=3), "/etc/sentinel.yaml", on_answer)


def test_hello_then_layers_once(tmp_path: Path, analyser: Analyser) -> None:
    one = sender_to(tmp_path)
    one.layers(["a", "b"])
    one.put(step(1))
    one.put(step(2))
    one.close()
    assert analyser.requests[0].hello.rank == 3
    assert [(record.step, list(record.layers)) for record in analyser.of("step")] == [(1, ["a", "b"]), (2, [])]


def test_away_then_there(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "LAST_RETRY_S", 0.5)
    with caplog.at_level(logging.INFO, "sentinel_training"):
        one = sender_to(tmp_path)
        for number in range(sender.QUEUE_RECORDS + 10):
            one.put(step(number))
        assert one.dropped == 10
        analyser = Analyser(tmp_path / "training.sock")
        analyser.wait(lambda: len(analyser.of("step")) == sender.QUEUE_RECORDS)
        analyser.stop()
        # It has noticed: what it sends until then is dropped.
        analyser.wait(lambda: one._told == 10)
        back = Analyser(tmp_path / "training.sock")
        one.put(step(5000))
        back.wait(lambda: len(back.of("hello")) == 1 and back.of("step")[-1:] == [wire.StepReport(step=5000)])
        one.close()
        back.stop()
    assert analyser.requests[-1].dropped == 10
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]
    assert len(said) <= 1
    assert all("sentinel-training-monitor --config /etc/sentinel.yaml" in line for line in said)


def test_never_there(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "FIRST_RETRY_S", 0.01)
    monkeypatch.setattr(sender, "LAST_RETRY_S", 0.01)
    with caplog.at_level(logging.INFO, "sentinel_training"):
        one = sender_to(tmp_path)
        end = time.monotonic() + 30
        while not caplog.records and time.monotonic() < end:
            time.sleep(0.01)
        one.close()
    assert len(caplog.records) == 1
    assert "sentinel-training-monitor --config /etc/sentinel.yaml" in caplog.text


def test_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks at one record in a minute: `put` returns as before, and what gives way is counted."""
    monkeypatch.setattr(sender, "END_WAIT_S", 1.5)
    analyser = Analyser(tmp_path / "training.sock", pause_s=60)
    one = sender_to(tmp_path)
    for number in range(20 * sender.QUEUE_RECORDS):
        one.put(step(number))
    assert one.dropped > 0
    one.close()
    # Of a thread that has not run since, `close` has not heard that it ends.
    analyser.wait(lambda: all(thread.name != "sentinel-sender" for thread in threading.enumerate()))
    analyser.stop()
