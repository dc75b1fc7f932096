"""Step time of a job with the monitor over that without it: the same job, in blocks that take turns.

    python bench/overhead.py [--pairs N] [--block STEPS] [--device cuda [--width N] [--layers N] [--batch N]]

Prints one JSON line: ratio of step times (geometric mean over pairs of blocks) with its 95 % confidence interval by bootstrap;
the same of the CPU time of all threads, which other work on the machine disturbs less; and what each detector costs once, and all its
runs of the time of the job.
The monitor runs at its default intervals and budget; no analyser listens. Two models of the same shape differ by a percent in time for
where their tensors lie, so it is one model, on which the hooks hang or do not.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import json
import math
import random
import statistics
import time
from typing import Any

import torch
from torch import Tensor, nn

import sentinel_training
from sentinel_training.pace import FIRST_LOOK

LENGTH, VOCABULARY = 128, 2048
RESAMPLES = 2000


@dataclasses.dataclass(frozen=True)
class Size:
    """As it is, a step takes more than 100 ms on one core. A GPU computes in bfloat16."""

    width: int = 256
    layers: int = 4
    batch: int = 8
    device: str = "cpu"


class Model(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        width = size.width
        self.embedding = nn.Embedding(VOCABULARY, width)
        layer = nn.TransformerEncoderLayer(width, 4, 4 * width, dropout=0.1, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, size.layers, enable_nested_tensor=False)
        self.head = nn.Linear(width, VOCABULARY)

    def forward(self, tokens: Tensor) -> Tensor:
        scores = self.head(self.layers(self.embedding(tokens[:, :-1])))
        return nn.functional.cross_entropy(scores.reshape(-1, VOCABULARY), tokens[:, 1:].reshape(-1))


class Job:
    def __init__(self, size: Size) -> None:
        torch.manual_seed(1)
        self.size = size
        self.model = Model(size).to(size.device)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-4)
        self.monitor = sentinel_training.pytorch.TrainingMonitor()
        self.monitor.attach(self.model, self.optimizer)
        as_one_of_several_ranks(self.monitor)

    def watched(self, on: bool) -> None:
        """Hangs the monitor's hooks on the model, or takes them off: of the steps until then it knows nothing."""
        for handle in self.monitor._handles:
            handle.remove()
        if on:
            self.monitor._hang_hooks(self.model, self.optimizer)
            self.monitor._ended_at = time.perf_counter()

    def steps(self, count: int) -> tuple[float, float]:
        """Seconds a step, and seconds of CPU a step with every thread."""
        self.wait()
        began, cpu = time.perf_counter(), time.process_time()
        for _ in range(count):
            self.optimizer.zero_grad()
            tokens = torch.randint(0, VOCABULARY, (self.size.batch, LENGTH + 1), device=self.size.device)
            with torch.autocast(self.size.device, torch.bfloat16, enabled=self.size.device != "cpu"):
                loss = self.model(tokens)
            loss.backward()
            self.optimizer.step()
        self.wait()
        return (time.perf_counter() - began) / count, (time.process_time() - cpu) / count

    def wait(self) -> None:
        if self.size.device != "cpu":
            torch.cuda.synchronize()


def as_one_of_several_ranks(monitor: sentinel_training.pytorch.TrainingMonitor) -> None:
    """Takes the checksums that replicas compare; only the exchange of 96 bytes a rank, which no step waits for, is not here."""
    monitor._here = dataclasses.replace(monitor._here, replicas=(0, 1))
    monitor._pace._configured["replicas"] = monitor._pace.intervals["replicas"] = 10


def interval(ratios: list[float], draw: random.Random) -> tuple[float, float]:
    """95 % of the means of resampled logarithms."""
    logs = [math.log(ratio) for ratio in ratios]
    means = sorted(statistics.fmean(draw.choices(logs, k=len(logs))) for _ in range(RESAMPLES))
    return math.exp(means[int(0.025 * RESAMPLES)]), math.exp(means[int(0.975 * RESAMPLES)])


class Costs:
    """Seconds of each run of each detector, from now on."""

    def __init__(self, monitor: sentinel_training.pytorch.TrainingMonitor) -> None:
        self.of: dict[str, list[float]] = collections.defaultdict(list)
        told = monitor._pace.cost

        def cost(detector: str, seconds: float) -> None:
            self.of[detector].append(seconds)
            told(detector, seconds)

        monitor._pace.cost = cost  # type: ignore[method-assign]
        monitor._rounds._cost = cost

    def shares(self, job_s: float) -> dict[str, Any]:
        """`job_s`: what the job took meanwhile, seconds."""
        return {
            name: {
                "once_ms": round(1000 * statistics.median(found), 3),
                "runs": len(found),
                "amortised_pct": round(100 * sum(found) / job_s, 4),
            }
            for name, found in self.of.items()
        }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=30)
    options.add_argument("--block", type=int, default=10)
    options.add_argument("--device", default=Size.device)
    options.add_argument("--width", type=int, default=Size.width)
    options.add_argument("--layers", type=int, default=Size.layers)
    options.add_argument("--batch", type=int, default=Size.batch)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    size = Size(chosen.width, chosen.layers, chosen.batch, chosen.device)
    job = Job(size)
    # The monitor measures its detectors and stretches their intervals before the comparison begins.
    job.steps(FIRST_LOOK + 1)
    costs = Costs(job.monitor)
    ratios, cpu_ratios, times, watched_s = [], [], [], 0.0
    draw = random.Random(0)
    for _ in range(chosen.pairs):
        pair = {}
        for name in draw.sample(["without", "with"], 2):
            job.watched(name == "with")
            pair[name] = job.steps(chosen.block)
        ratios.append(pair["with"][0] / pair["without"][0])
        cpu_ratios.append(pair["with"][1] / pair["without"][1])
        times.append(pair["without"][0])
        watched_s += pair["with"][0] * chosen.block
    low, high = interval(ratios, draw)
    cpu_low, cpu_high = interval(cpu_ratios, draw)
    step_s = statistics.median(times)
    result = {
        "ratio": math.exp(statistics.fmean(math.log(ratio) for ratio in ratios)),
        "low": low,
        "high": high,
        "median": statistics.median(ratios),
        "cpu_ratio": math.exp(statistics.fmean(math.log(ratio) for ratio in cpu_ratios)),
        "cpu_low": cpu_low,
        "cpu_high": cpu_high,
        "device": chosen.device if chosen.device == "cpu" else torch.cuda.get_device_name(),
        "step_ms": 1000 * step_s,
        "pairs": chosen.pairs,
        "steps": chosen.pairs * chosen.block,
        "detectors": costs.shares(watched_s),
    }
    job.monitor.detach()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
