from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from analyser import Analyser
from sentinel_training._kit import sender

Configure = Callable[..., str]
# How long an analyser may be silent in these tests, and what the end of a job waits for it: a busy machine may stand still for seconds.
PATIENCE_S = 30.0


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test is told is all that was measured: none of it is dropped because the analyser was given too little time."""
    monkeypatch.setattr(sender, "END_WAIT_S", PATIENCE_S)
    monkeypatch.setattr(sender, "SILENCE_S", PATIENCE_S)


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Writes a configuration whose detectors all run within a few steps; gives its path."""

    def write(**keys: Any) -> str:
        lines = {
            "socket_path": "training.sock",
            "job_id": "a-job",
            "sampling_rate": 0.5,
            "overhead_budget_pct": 100,
            "cross_rank": "{comparison_interval_steps: 2}",
            "replay": "{interval_steps: 4}",
            **keys,
        }
        path = tmp_path / "sentinel.yaml"
        path.write_text("training_monitor:\n" + "".join(f"  {key}: {value}\n" for key, value in lines.items()))
        return str(path)

    return write


@pytest.fixture
def analyser(tmp_path: Path) -> Iterator[Analyser]:
    one = Analyser(tmp_path / "training.sock")
    yield one
    one.stop()


@pytest.fixture(scope="session")
def ranks() -> Iterator[Any]:
    from ranks import Ranks

    four = Ranks()
    yield four
    four.stop()


@pytest.fixture
def job(analyser: Analyser, configure: Configure) -> Iterator[Any]:
    """A job of one process after its first step, told to `analyser`."""
    import jobs

    one = jobs.Job(0, "single", configure())
    one.step()
    yield one
    one.end()
