"""A job in a process of its own, as a user starts it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import jobs
import sentinel_training
from analyser import Analyser
from conftest import Configure
from sentinel_training.pytorch import sample

SCRIPT = """
import sys
import torch
from torch.utils.data import DataLoader, TensorDataset
import sentinel_training
from sentinel_training._kit import sender

# A busy machine may stand still for seconds.
sender.END_WAIT_S = sender.SILENCE_S = 30

if __name__ == "__main__":
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))
    optimizer = torch.optim.AdamW(model.parameters())
    if len(sys.argv) > 1:
        monitor = sentinel_training.pytorch.TrainingMonitor(config_path=sys.argv[1])
        monitor.attach(model, optimizer)
    data = DataLoader(TensorDataset(torch.randn(64, 8)), batch_size=4, num_workers=2, shuffle=True)
    for _ in range(3):
        for (x,) in data:
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()
    print([p.sum().item() for p in model.parameters()], torch.randn(1).item())
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = folder / "train.py"
    script.write_text(SCRIPT)
    place = {**os.environ, "PYTHONPATH": str(Path(sentinel_training.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, str(script), *arguments], capture_output=True, text=True, timeout=600, env=place
    )


@pytest.mark.parametrize("there", [True, False])
def test_with_workers_that_load_data(tmp_path: Path, configure: Configure, there: bool) -> None:
    analyser = Analyser(tmp_path / "training.sock") if there else None
    plain, watched = run(tmp_path), run(tmp_path, configure())
    assert plain.returncode == watched.returncode == 0, watched.stderr
    assert watched.stdout == plain.stdout
    said = [line for line in watched.stderr.splitlines() if line]
    if analyser is None:
        assert len(said) == 1 and "sentinel-training-monitor --config" in said[0]
    else:
        assert said == []
        assert [step.step for step in analyser.of("step")] == list(range(2, 49, 2))
        analyser.stop()


def test_a_failure_inside_ends_the_monitor_with_one_line(
    configure: Configure, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plain = jobs.train(0, kind="single")

    def fails(_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(sample, "gradients", fails)
    with caplog.at_level(logging.WARNING, "sentinel_training"):
        watched = jobs.train(0, kind="single", config=configure())
    assert watched["digest"] == plain["digest"]
    assert [line for line in watched["log"] if "out of memory" in line] == [
        "the training monitor is off: RuntimeError: out of memory"
    ]


def test_a_wrong_configuration_ends_no_job(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = torch.nn.Linear(2, 2)
    with caplog.at_level(logging.ERROR, "sentinel_training"):
        monitor = sentinel_training.pytorch.TrainingMonitor(config_path=tmp_path / "none.yaml")
        monitor.attach(model, torch.optim.SGD(model.parameters(), lr=0.1)).detach()
    assert "none.yaml: cannot be read" in caplog.text
