from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from analyser import Analyser

Configure = Callable[..., str]


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
