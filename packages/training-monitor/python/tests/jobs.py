"""A small training job as a user writes it, with switches for what the tests vary."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.algorithms.join import Join
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

import sentinel_training

VOCABULARY, WIDTH, LENGTH, BATCH = 64, 32, 16, 4
# Of a job that waits for a wish of the analyser: with pauses more than ten seconds, which a busy machine may stand still.
MOST_STEPS = 800


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.second_norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.mix, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.mix(self.norm(x)).chunk(3, dim=-1)
        x = x + self.out(nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True))
        return x + self.dropout(self.down(nn.functional.gelu(self.up(self.second_norm(x)))))


class Transformer(nn.Module):
    """Gives back its loss. Counts its calls in a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.blocks = nn.ModuleList([Block(), Block()])
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    def forward(self, tokens: Tensor) -> Tensor:
        self.calls += 1
        x = self.embedding(tokens[:, :-1])
        for block in self.blocks:
            x = block(x)
        scores = self.head(x)
        return nn.functional.cross_entropy(scores.float().reshape(-1, VOCABULARY), tokens[:, 1:].reshape(-1))


def wrap(model: nn.Module, kind: str) -> nn.Module:
    match kind:
        case "ddp" | "two optimizers":
            return DistributedDataParallel(model)
        case "compiled":
            return torch.compile(DistributedDataParallel(model), backend="aot_eager")  # type: ignore[return-value]
        case "inductor":
            return torch.compile(model, backend="inductor")  # type: ignore[return-value]
        case "fsdp2":
            mesh = init_device_mesh("cpu", (dist.get_world_size(),))
        case "hsdp":
            mesh = init_device_mesh("cpu", (2, dist.get_world_size() // 2), mesh_dim_names=("replica", "shard"))
        case _:
            return model
    for block in model.blocks:  # type: ignore[union-attr]
        fully_shard(block, mesh=mesh)
    return fully_shard(model, mesh=mesh)


class Job:
    """Made anew for each run, from the same seeds."""

    def __init__(self, rank: int, kind: str, config: str | None) -> None:
        torch.manual_seed(1)
        self.model = Transformer()
        self.wrapped = wrap(self.model, kind)
        self.optimizer: torch.optim.Optimizer = torch.optim.AdamW(self.wrapped.parameters(), lr=1e-3)
        others: list[torch.optim.Optimizer] = []
        if kind == "two optimizers":
            late = [p for p in self.wrapped.parameters() if p.dim() < 2]
            early = [p for p in self.wrapped.parameters() if p.dim() >= 2]
            groups = [{"params": early[:3], "lr": 1e-2}, {"params": early[3:], "weight_decay": 0.1}]
            self.optimizer = torch.optim.AdamW(groups, lr=1e-3)
            others = [torch.optim.SGD(late, lr=1e-2, momentum=0.9)]
        self.others = others
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, 50)
        for seed in (torch.manual_seed, random.seed, numpy.random.seed):
            seed(100 + rank)
        self.losses: list[float] = []
        self.log = Log()
        self.monitor = None
        if config is not None:
            self.monitor = sentinel_training.pytorch.TrainingMonitor(config_path=config)
            self.monitor.attach(self.wrapped, [self.optimizer, *others] if others else self.optimizer)

    def batch(self) -> Tensor:
        return torch.randint(0, VOCABULARY, (BATCH, LENGTH + 1))

    def step(self, *, accumulate: int = 1, bf16: bool = False) -> None:
        for last in [False] * (accumulate - 1) + [True]:
            synchronised = (
                contextlib.nullcontext() if last or not hasattr(self.wrapped, "no_sync") else self.wrapped.no_sync()
            )
            with synchronised:
                with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                    loss = self.wrapped(self.batch())
                (loss / accumulate).backward()
        self.losses.append(loss.item())
        for optimizer in (*self.others, self.optimizer):
            optimizer.step()
            optimizer.zero_grad()
        self.schedule.step()

    def end(self) -> dict[str, Any]:
        digest = hashlib.sha256()
        state = [*self.wrapped.state_dict().values()]
        state += [v for s in self.optimizer.state.values() for v in s.values() if isinstance(v, Tensor)]
        for tensor in state:
            held = tensor.to_local() if hasattr(tensor, "to_local") else tensor
            digest.update(held.detach().contiguous().numpy().tobytes())
        digest.update(torch.get_rng_state().numpy().tobytes())
        digest.update(repr((random.getstate(), numpy.random.get_state(legacy=False))).encode())
        if self.monitor is not None:
            self.monitor.detach()
        self.log.remove()
        return {"digest": digest.hexdigest(), "losses": self.losses, "log": self.log.lines}


class Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []
        self._logger = logging.getLogger("sentinel_training")
        self._logger.setLevel(logging.INFO)
        self._logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def remove(self) -> None:
        self._logger.removeHandler(self)


def train(
    rank: int,
    *,
    kind: str = "ddp",
    config: str | None = None,
    steps: int = 8,
    accumulate: int = 1,
    bf16: bool = False,
    fault: Callable[[Job, int, int], Any] | None = None,
    pause_s: float = 0,
    until_wanted: bool = False,
) -> dict[str, Any]:
    """`fault(job, rank, step)` is called before each step, counted from 1; what it gives back is called after it.

    `pause_s`: between two steps, so that what the analyser answers arrives while the job lasts. `until_wanted`: it goes on, up to
    MOST_STEPS, until `steps` more are done after the replay that the analyser wants, however late its wish comes.
    """
    job = Job(rank, kind, config)
    step, last = 0, MOST_STEPS if until_wanted else steps
    while step < last:
        step += 1
        undo = fault(job, rank, step) if fault is not None else None
        job.step(accumulate=accumulate, bf16=bf16)
        if undo is not None:
            undo()
        # Ranks agree on that step before any of them does it: here all say the same.
        if last == MOST_STEPS and job.monitor is not None and job.monitor._wishes.due(step):
            last = step + steps
        time.sleep(pause_s)
    return job.end()


def train_by_closures(
    rank: int, *, config: str | None = None, optimizer: type[torch.optim.Optimizer] = torch.optim.AdamW
) -> dict[str, Any]:
    """Forward and backward pass inside of the optimizer's step, as PyTorch Lightning does it; LBFGS does them several times."""
    job = Job(rank, "ddp", None)
    job.optimizer = optimizer(job.wrapped.parameters(), lr=1e-3)
    if config is not None:
        job.monitor = sentinel_training.pytorch.TrainingMonitor(config_path=config)
        job.monitor.attach(job.wrapped, job.optimizer)

    def closure() -> Tensor:
        job.optimizer.zero_grad()
        loss = job.wrapped(job.batch())
        loss.backward()
        return loss

    for step in range(8):
        loss: Any = job.optimizer.step(closure) if step % 2 else job.optimizer.step(closure=closure)
        job.losses.append(loss.item())
    return job.end()


def train_with_local_steps(rank: int, *, config: str) -> dict[str, Any]:
    """Steps 5 to 8 by gradients that three ranks share, and the fourth has its own; then all parameters and states are averaged."""
    job = Job(rank, "ddp", config)
    groups = [dist.new_group([0, 1, 2]), dist.new_group([3])]
    for step in range(1, 17):
        if step not in range(5, 9):
            job.step()
            continue
        with job.wrapped.no_sync():
            job.wrapped(job.batch()).backward()
        for parameter in job.model.parameters():
            dist.all_reduce(parameter.grad, group=groups[rank == 3])
        job.optimizer.step()
        job.optimizer.zero_grad()
        if step == 8:
            held = [value for state in job.optimizer.state.values() for value in state.values()]
            for tensor in (*(one.data for one in job.model.parameters()), *held):
                dist.all_reduce(tensor)
                tensor /= 4
    return job.end()


def train_scaled(rank: int, *, config: str | None = None, steps: int = 8) -> dict[str, Any]:
    """With a GradScaler whose first scales are too large: it leaves out steps."""
    job = Job(rank, "ddp", config)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127, growth_interval=100, backoff_factor=2.0**-20)
    for _ in range(steps):
        loss = 1e9 * job.wrapped(job.batch())
        scaler.scale(loss).backward()
        scaler.step(job.optimizer)
        scaler.update()
        job.optimizer.zero_grad()
        job.losses.append(loss.item())
    return {**job.end(), "scale": scaler.get_scale()}


def train_uneven(rank: int, *, config: str | None = None) -> dict[str, Any]:
    """Ranks have different numbers of batches."""
    job = Job(rank, "ddp", config)
    for _ in range(7):
        job.step()
    for _ in range(2):
        with Join([job.wrapped]):  # type: ignore[list-item]
            for _ in range(3 + 2 * rank):
                job.step()
    return job.end()


def train_and_keep(rank: int, *, config: str, path: str) -> None:
    job = Job(rank, "ddp", config)
    if Path(path).exists():
        kept = torch.load(path)
        job.model.load_state_dict(kept["model"])
        job.optimizer.load_state_dict(kept["optimizer"])
    for _ in range(4):
        job.step()
    if rank == 0:
        torch.save({"model": job.model.state_dict(), "optimizer": job.optimizer.state_dict()}, path)
    dist.barrier()
    job.end()


def train_with_tables_of_their_own(rank: int, *, config: str | None = None) -> dict[str, Any]:
    """DistributedDataParallel leaves one parameter alone, which each rank trains by itself."""
    job = Job(rank, "single", None)
    name = next(name for name, parameter in job.model.named_parameters() if parameter is job.model.blocks[0].up.weight)
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(job.model, [name])
    job.wrapped = DistributedDataParallel(job.model)
    if config is not None:
        job.monitor = sentinel_training.pytorch.TrainingMonitor(config_path=config)
        job.monitor.attach(job.wrapped, job.optimizer)
    for _ in range(8):
        job.step()
    return job.end()


def train_until_one_leaves(rank: int, *, config: str) -> list[str]:
    """The last rank ends early; the others go on in a process group of their own, as an elastic job does."""
    rest = dist.new_group([0, 1, 2])
    job = Job(rank, "ddp", config)
    job.step()
    job.step()
    with shorter("exchange", "NOW_WAIT_S"):
        for _ in range(20 if rank < 3 else 0):
            for parameter in job.model.parameters():
                parameter.grad = torch.ones_like(parameter)
                dist.all_reduce(parameter.grad, group=rest)
            job.optimizer.step()
    log = job.log.lines
    dist.barrier()
    job.end()
    return log


def train_where_one_does_not_attach(rank: int, *, config: str) -> list[str]:
    with shorter("agreement", "ATTACH_WAIT_S"):
        job = Job(rank, "ddp", config if rank < 3 else None)
        for _ in range(4):
            job.step()
    if rank == 3:
        # The next job of these processes counts from the same number on all of them.
        next(sentinel_training.pytorch.monitor._attempts)
    return list(job.end()["log"])


@contextlib.contextmanager
def shorter(module: str, name: str) -> Iterator[None]:
    """Waits for one second where the library waits for longer."""
    place = getattr(sentinel_training.pytorch, module)
    before = getattr(place, name)
    setattr(place, name, 1.0)
    try:
        yield
    finally:
        setattr(place, name, before)


def train_on_other_threads(rank: int, *, config: str | None = None) -> dict[str, Any]:
    """One rank computes as other hardware would: with two threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2 if rank == 3 else threads)
    try:
        return train(rank, config=config, steps=12)
    finally:
        torch.set_num_threads(threads)


class Dropped(nn.Module):
    """Leaves out layers as generators of numpy and Python say."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers[0](x)
        for at, layer in enumerate(self.layers):
            if (numpy.random.uniform() if at % 2 else random.random()) < 0.5:
                x = x + layer(x)
        return x


def train_that_changes_gradients(rank: int, *, config: str | None = None) -> dict[str, Any]:
    """Gradients are clipped by hooks of the user: on one rank in one step, those of parameters and those of what the model gives."""
    torch.manual_seed(3)
    job = Job(rank, "single", None)
    model = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))
    limit = [1e9, 1e9]
    for parameter in model.parameters():
        parameter.register_hook(lambda gradient: gradient.clamp(-limit[0], limit[0]))
    return _train_of(job, model, rank, config, limit)


def train_that_drops_layers(rank: int, *, config: str | None = None) -> dict[str, Any]:
    torch.manual_seed(3)
    return _train_of(Job(rank, "single", None), Dropped(), rank, config, [1e9, 1e9])


def _train_of(job: Job, model: nn.Module, rank: int, config: str | None, limit: list[float]) -> dict[str, Any]:
    job.model = model  # type: ignore[assignment]
    job.wrapped = DistributedDataParallel(model, find_unused_parameters=True)
    job.optimizer = torch.optim.SGD(job.wrapped.parameters(), lr=0.1, momentum=0.9)
    if config is not None:
        job.monitor = sentinel_training.pytorch.TrainingMonitor(config_path=config)
        job.monitor.attach(job.wrapped, job.optimizer)
    for step in range(1, 17):
        limit[:] = [1e-4 if step == 8 and rank == 1 else 1e9, 1e-5 if step == 12 and rank == 2 else 1e9]
        output = job.wrapped(torch.randn(BATCH, WIDTH))
        output.register_hook(lambda gradient: gradient.clamp(-limit[1], limit[1]))
        loss = output.square().mean()
        loss.backward()
        job.losses.append(loss.item())
        job.optimizer.step()
        job.optimizer.zero_grad()
    return job.end()
