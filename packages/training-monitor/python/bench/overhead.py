"""Step time of a job with the monitor over that without it: both in one process, in blocks that take turns.

    python bench/overhead.py [--pairs N] [--block STEPS]

Prints one JSON line: ratio of step times (geometric mean over pairs of blocks) with its 95 % confidence interval by bootstrap;
the same of the CPU time of all threads, which other work on the machine disturbs less; and what each detector costs once and amortised.
The monitor runs at its default intervals and budget; no analyser listens.
"""

from __future__ import annotations

import argparse
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

# A step of this model takes more than 100 ms on one core.
WIDTH, LAYERS, LENGTH, BATCH, VOCABULARY = 256, 4, 128, 8, 2048
RESAMPLES = 2000


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, dropout=0.1, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, tokens: Tensor) -> Tensor:
        scores = self.head(self.layers(self.embedding(tokens[:, :-1])))
        return nn.functional.cross_entropy(scores.reshape(-1, VOCABULARY), tokens[:, 1:].reshape(-1))


class Job:
    def __init__(self, *, watched: bool) -> None:
        torch.manual_seed(1)
        self.model = Model()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-4)
        self.monitor = sentinel_training.pytorch.TrainingMonitor() if watched else None
        if self.monitor is not None:
            self.monitor.attach(self.model, self.optimizer)
            as_one_of_several_ranks(self.monitor)

    def steps(self, count: int) -> tuple[float, float]:
        """Seconds a step, and seconds of CPU a step with every thread."""
        began, cpu = time.perf_counter(), time.process_time()
        for _ in range(count):
            self.optimizer.zero_grad()
            self.model(torch.randint(0, VOCABULARY, (BATCH, LENGTH + 1))).backward()
            self.optimizer.step()
        return (time.perf_counter() - began) / count, (time.process_time() - cpu) / count


def as_one_of_several_ranks(monitor: sentinel_training.pytorch.TrainingMonitor) -> None:
    """Takes the checksums that replicas compare; only the exchange of 96 bytes a rank, which no step waits for, is not here."""
    monitor._here = dataclasses.replace(monitor._here, replicas=(0, 1))
    monitor._pace._configured["replicas"] = monitor._pace.intervals["replicas"] = 10


def interval(ratios: list[float], draw: random.Random) -> tuple[float, float]:
    """95 % of the means of resampled logarithms."""
    logs = [math.log(ratio) for ratio in ratios]
    means = sorted(statistics.fmean(draw.choices(logs, k=len(logs))) for _ in range(RESAMPLES))
    return math.exp(means[int(0.025 * RESAMPLES)]), math.exp(means[int(0.975 * RESAMPLES)])


def detectors(job: Job, step_s: float) -> dict[str, Any]:
    monitor = job.monitor
    assert monitor is not None
    pace = monitor._pace
    costs = {name: statistics.median(found) for name, found in pace._costs.items() if found}
    wishes = pace.wishes()
    return {
        name: {
            "once_ms": round(1000 * cost, 3),
            "interval_steps": wishes[name],
            "amortised_pct": round(100 * cost / wishes[name] / step_s, 4) if wishes[name] else 0,
        }
        for name, cost in costs.items()
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=30)
    options.add_argument("--block", type=int, default=10)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    plain, watched = Job(watched=False), Job(watched=True)
    # The monitor measures its detectors and stretches their intervals before the comparison begins.
    for job in (plain, watched):
        job.steps(FIRST_LOOK + 1)
    ratios, cpu_ratios, times = [], [], []
    draw = random.Random(0)
    for _ in range(chosen.pairs):
        pair = {}
        for name in draw.sample(["without", "with"], 2):
            pair[name] = (watched if name == "with" else plain).steps(chosen.block)
        ratios.append(pair["with"][0] / pair["without"][0])
        cpu_ratios.append(pair["with"][1] / pair["without"][1])
        times.append(pair["without"][0])
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
        "step_ms": 1000 * step_s,
        "pairs": chosen.pairs,
        "steps": chosen.pairs * chosen.block,
        "detectors": detectors(watched, step_s),
    }
    assert watched.monitor is not None
    watched.monitor.detach()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
