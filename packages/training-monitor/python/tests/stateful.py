"""Models that keep something from one forward pass to the next where neither parameters nor buffers are."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

import jobs
from jobs import BATCH, WIDTH, sentinel_training

TOTAL = [0.0]


class Hidden(nn.Module):
    """Truncated backpropagation through time."""

    def __init__(self, _: int) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(WIDTH, WIDTH, batch_first=True), nn.Linear(WIDTH, WIDTH)
        self.hidden: Any = None

    def forward(self, x: Tensor) -> Tensor:
        y, hidden = self.lstm(x[:, None], self.hidden)
        self.hidden = tuple(one.detach() for one in hidden)
        return self.head(y)


class Counting(nn.Module):
    """A hook of the user, on one rank only, that counts."""

    def __init__(self, rank: int) -> None:
        super().__init__()
        self.layer = nn.Linear(WIDTH, WIDTH)
        count = 0

        def hook(_: nn.Module, __: Any, output: Tensor) -> Tensor:
            nonlocal count
            count += 1
            return output * (1 + count / 100)

        if rank == 1:
            self.layer.register_forward_hook(hook)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


class Cached(nn.Module):
    def __init__(self, _: int) -> None:
        super().__init__()
        self.layer = nn.Linear(WIDTH, WIDTH)
        self.cache: dict[int, Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        key = int(x[0, 0] * 2)
        self.cache[key] = self.cache.get(key, torch.zeros(())) + x.mean()
        return self.layer(x) * (1 + self.cache[key])


class Written(Cached):
    """Writes into a tensor of its own in a way that its version counter does not tell."""

    def __init__(self, _: int) -> None:
        super().__init__(_)
        self.mean = torch.zeros(())

    def forward(self, x: Tensor) -> Tensor:
        self.mean.data.add_(x.detach().mean())
        return self.layer(x) * (1 + self.mean)


class Renormalised(nn.Module):
    """Shortens rows of its table when they are read."""

    def __init__(self, _: int) -> None:
        super().__init__()
        self.table, self.layer = nn.Embedding(64, WIDTH, max_norm=0.5), nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(self.table((x * 20).long().abs() % 64))


class Global(Cached):
    def forward(self, x: Tensor) -> Tensor:
        TOTAL[0] += float(x.mean())
        return self.layer(x) * (1 + TOTAL[0])


class Drawn(Cached):
    """Draws from a generator of its own."""

    def __init__(self, rank: int) -> None:
        super().__init__(rank)
        self.generator = torch.Generator().manual_seed(rank)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) * torch.rand(WIDTH, generator=self.generator)


class Iterated(Cached):
    """Keeps an object that may hold anything."""

    def __init__(self, _: int) -> None:
        super().__init__(_)
        self.numbers = itertools.count()

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) * (1 + next(self.numbers) / 100)


class Normalised(nn.Module):
    """Running means in buffers, computed once more in the backward pass. This one can be replayed."""

    def __init__(self, _: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH), nn.Dropout(0.1), nn.Linear(WIDTH, WIDTH)
        )

    def forward(self, x: Tensor) -> Tensor:
        return checkpoint(self.layers, x, use_reentrant=False)


class Tasked(nn.Module):
    """Computes what the loop set before: another task on one rank."""

    def __init__(self, rank: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(2))
        self.task = int(rank == 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers[self.task](x) + 0 * self.layers[1 - self.task](x)


class Weighted(nn.Module):
    """Holds a tensor that is no buffer: another one on one rank."""

    def __init__(self, rank: int) -> None:
        super().__init__()
        self.layer = nn.Linear(WIDTH, WIDTH)
        self.weights = torch.full((WIDTH,), 1.0 + (rank == 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) * self.weights


class Unpooled(nn.Module):
    """Keeps nothing, but PyTorch has no deterministic kernel for what it computes."""

    def __init__(self, _: int) -> None:
        super().__init__()
        self.layer = nn.Linear(WIDTH, WIDTH)
        self.pool, self.unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.unpool(*self.pool(self.layer(x)[None]))


class Cut(nn.Module):
    """Keeps nothing; its sums are in an order that the strides of its input decide about."""

    def __init__(self, _: int) -> None:
        super().__init__()
        self.layer = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer((x - x.mean((1, 2), keepdim=True)).mean(2))


def train(rank: int, *, kind: type[nn.Module], config: str | None = None) -> dict[str, Any]:
    torch.manual_seed(3)
    job = jobs.Job(rank, "single", None)
    TOTAL[0] = 0.0
    job.model = kind(rank)  # type: ignore[assignment]
    job.wrapped = DistributedDataParallel(job.model)
    job.optimizer = torch.optim.SGD(job.wrapped.parameters(), lr=0.1, momentum=0.9)
    if config is not None:
        job.monitor = sentinel_training.pytorch.TrainingMonitor(config_path=config)
        job.monitor.attach(job.wrapped, job.optimizer)
    for _ in range(14):
        loss = job.wrapped(_batch(kind, rank)).square().mean()
        loss.backward()
        job.losses.append(loss.item())
        job.optimizer.step()
        job.optimizer.zero_grad()
    return job.end()


def _batch(kind: type[nn.Module], rank: int) -> Tensor:
    """Of Cut: padded, and on one rank cut to its longest sample."""
    if kind is not Cut:
        return torch.randn(BATCH, WIDTH)
    batch = torch.randn(BATCH, WIDTH, 200)
    return batch[:, :, :187] if rank == 1 else batch
