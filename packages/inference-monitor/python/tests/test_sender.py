"""Hello, counts and answers on the stream; the sender itself is tested with sentinel_training."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from analyser import Analyser
from conftest import Configure
from sentinel_inference import InferenceMonitor
from sentinel_inference._kit import sender


def test_hello_counts_and_rate(configure: Configure, analyser: Analyser) -> None:
    monitor = InferenceMonitor.from_config(configure(replica_name="r1", gpu_uuids="[GPU-1, GPU-2]"))
    double = monitor.wrap(lambda logits: logits, model="double")
    assert double([[1.0, 2.0]]) == [[1.0, 2.0]]
    analyser.say(sampling_rate=0)
    analyser.wait(lambda: len(analyser.of("hello")) == 1 and monitor._channel.sampling.rate == 0)
    for _ in range(4):
        double([[1.0, 2.0]])
    monitor.close()
    (hello,) = analyser.of("hello")
    assert (hello.replica, hello.model, list(hello.gpus), hello.answers) == ("r1", "double", ["GPU-1", "GPU-2"], False)
    assert len(hello.config_hash) == 32
    assert monitor.seen == 5


def test_disabled(configure: Configure, analyser: Analyser) -> None:
    monitor = InferenceMonitor.from_config(configure(enabled="false"))
    assert monitor.wrap(lambda: {"logits": [[1.0]]})() == {"logits": [[1.0]]}
    monitor.close()
    assert analyser.requests == []


def test_never_there(configure: Configure, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "FIRST_RETRY_S", 0.01)
    path = configure()
    with caplog.at_level(logging.INFO, "sentinel_inference"):
        monitor = InferenceMonitor.from_config(path)
        call = monitor.wrap(lambda: {"logprobs": [-1.0]})
        for _ in range(sender.QUEUE_RECORDS + 7):
            call()
        assert monitor.dropped == 7
        while not caplog.records:
            monitor._channel._sender._thread.join(0.01)  # type: ignore[union-attr]
        monitor.close()
    (said,) = [one.getMessage() for one in caplog.records]
    assert f"sentinel-inference-monitor --config {path}" in said
    assert "serving goes on" in said


def test_one_engine_each(configure: Configure) -> None:
    monitor = InferenceMonitor.from_config(configure())
    monitor._attached = monitor._channel  # type: ignore[assignment]
    with pytest.raises(RuntimeError, match="make one for each engine"):
        monitor.attach_vllm(object())
    monitor._channel.close()


def test_socket_beside_the_file(configure: Configure, tmp_path: Path) -> None:
    assert InferenceMonitor.from_config(configure())._channel.settings.socket_path == str(tmp_path / "inference.sock")


def test_requests_are_counted_once_whatever_breaks(
    configure: Configure, analyser: Analyser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The analyser counts each stream from nought."""
    monkeypatch.setattr(sender, "FIRST_RETRY_S", 0.01)
    monitor = InferenceMonitor.from_config(configure())
    call = monitor.wrap(lambda: {"logprobs": [-1.0]})
    analyser.wait(
        lambda: analyser.requests != [] and analyser.requests[-1].seen == 3,
        lambda: None if monitor.seen == 3 else call(),
    )
    analyser.stop()
    after = Analyser(tmp_path / "inference.sock")
    after.wait(lambda: len(after.of("hello")) == 1)
    for _ in range(2):
        call()
    after.wait(lambda: after.requests[-1].seen == 2)
    monitor.close()
    assert max(one.seen for one in analyser.requests) + max(one.seen for one in after.requests) == monitor.seen == 5
    after.stop()
