from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from analyser import Analyser
from sentinel_inference._kit import sender

Configure = Callable[..., str]
# How long an analyser may be silent in these tests, and what `close` waits for it: a busy machine may stand still for seconds.
PATIENCE_S = 30.0


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test is told is all that was measured: none of it is dropped because the analyser was given too little time."""
    monkeypatch.setattr(sender, "END_WAIT_S", PATIENCE_S)
    monkeypatch.setattr(sender, "SILENCE_S", PATIENCE_S)


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Writes a configuration that samples every request; gives its path."""

    def write(**keys: Any) -> str:
        lines = {"socket_path": "inference.sock", "sampling_rate": 1, "weights": "{interval_s: 0}", **keys}
        path = tmp_path / "sentinel.yaml"
        path.write_text("inference_monitor:\n" + "".join(f"  {key}: {value}\n" for key, value in lines.items()))
        return str(path)

    return write


@pytest.fixture
def analyser(tmp_path: Path) -> Iterator[Analyser]:
    one = Analyser(tmp_path / "inference.sock")
    yield one
    one.stop()
