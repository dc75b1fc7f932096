"""Faults in the memory of a real job: four gloo ranks, each a node of its own with an analyser of its own.

    python bench/real.py FOLDER --phases NAME:KIND:SECONDS[:faults] …

KIND is ddp or hsdp (two replicas of two shards each). Rank R of phase NAME reads FOLDER/node-R/NAME.yaml. Faults are flipped bits in
a parameter or in the optimizer's state after the step, in the output of a linear layer in a step that is replayed, and in a
checkpoint file; each is made good from a copy. Prints one JSON line: by phase its steps, and its faults with kind, rank, first and
last step.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import hashlib
import json
import logging
import multiprocessing
import multiprocessing.connection
import os
import random
import socket
import time
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

import sentinel_training
from sentinel_training.pytorch.topology import local

WORLD, VOCABULARY, WIDTH, LENGTH, BATCH = 4, 256, 32, 32, 4
# The analyser tells the same finding about the same rank once in ten seconds. Wrong parameters show in replays too.
APART_S = 10.5
TOLD_AS = {"weight": "compared", "state": "compared", "product": "compared", "checkpoint": "file"}
KINDS = {"ddp": list(TOLD_AS), "hsdp": ["weight", "state", "checkpoint"]}
# Steps after a fault that belong to it: what is replayed because of it, and the comparison that finds all ranks equal again.
REST = 6
ONCE = "FAULT_ONCE"
LOW_BIT = {"product": 16}
# Its products are wrong once, those of the others again in every repeat: a job of which several ranks contradict themselves lately is taken
# for one whose kernels are not deterministic.
FLAKY = 2


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.second_norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.mix, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.mix(self.norm(x)).chunk(3, dim=-1)
        x = x + self.out(nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True))
        mixed: Tensor = x + self.down(nn.functional.gelu(self.up(self.second_norm(x))))
        return mixed


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.blocks = nn.ModuleList([Block(), Block()])
        self.head = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens[:, :-1])
        for block in self.blocks:
            x = block(x)
        scores: Tensor = self.head(x).reshape(-1, VOCABULARY)
        return nn.functional.cross_entropy(scores, tokens[:, 1:].reshape(-1))


def wrap(model: Model, kind: str) -> nn.Module:
    if kind == "ddp":
        return nn.parallel.DistributedDataParallel(model)
    mesh = init_device_mesh("cpu", (2, WORLD // 2), mesh_dim_names=("replica", "shard"))
    for block in model.blocks:
        fully_shard(block, mesh=mesh)
    return fully_shard(model, mesh=mesh)  # type: ignore[return-value]


class Job:
    def __init__(self, rank: int, kind: str, config: str) -> None:
        torch.manual_seed(1)
        self.rank, self.model = rank, Model()
        self.wrapped = wrap(self.model, kind)
        self.optimizer = torch.optim.AdamW(self.wrapped.parameters(), lr=1e-3)
        torch.manual_seed(100 + rank)
        self.monitor = sentinel_training.pytorch.TrainingMonitor(config_path=config)
        self.monitor.attach(self.wrapped, self.optimizer)
        self.number = 0

    def batch(self) -> Tensor:
        """One token follows the other by a rule with exceptions, so that there is something to learn."""
        first = torch.randint(0, VOCABULARY, (BATCH, 1))
        steps = torch.where(torch.rand(BATCH, LENGTH) < 0.9, 3, torch.randint(0, VOCABULARY, (BATCH, LENGTH)))
        return torch.cat((first, first + steps.cumsum(1)), 1) % VOCABULARY

    def step(self, tokens: Tensor | None = None) -> None:
        self.wrapped(self.batch() if tokens is None else tokens).backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.number += 1

    def parameters(self) -> list[Tensor]:
        return [local(p.detach()) for p in self.wrapped.parameters()]

    def state(self) -> list[Tensor]:
        kept = [value for state in self.optimizer.state.values() for value in state.values()]
        return [local(value) for value in kept if isinstance(value, Tensor)]

    def gradient(self, tokens: Tensor) -> bytes:
        """Of this rank alone."""
        found = torch.autograd.grad(self.model(tokens), list(self.model.parameters()))
        return b"".join(one.numpy().tobytes() for one in found)

    def held(self) -> bytes:
        return b"".join(tensor.numpy().tobytes() for tensor in (*self.parameters(), *self.state()))

    def until_compared(self) -> None:
        while True:
            self.step()
            if self.monitor._pace.due("replicas", self.number):
                return

    def until_replayed(self) -> None:
        """Stands before a step that is replayed."""
        while not self.monitor._replays(self.number + 1):
            self.step()


def flip(tensor: Tensor, draw: random.Random, low: int = 0) -> None:
    words = tensor.detach().view(-1).view(torch.int32)
    bit = draw.randrange(low, 32)
    words[draw.randrange(words.numel())] ^= -(2**31) if bit == 31 else 1 << bit


def flip_held(job: Job, kind: str, draw: random.Random) -> None:
    held = job.parameters() if kind == "weight" else [t for t in job.state() if t.numel() > 1]
    flip(draw.choice([tensor for tensor in held if tensor.numel() > 0]), draw)


def wrong_product(job: Job, draw: random.Random, *, stays: bool) -> Any:
    layer = draw.choice([part for part in job.model.modules() if type(part) is nn.Linear])
    seed = draw.random()
    # A device keeps its faults where the model's Python objects do not show them.
    os.environ[ONCE] = "1"

    def hook(_: nn.Module, __: Any, output: Tensor) -> None:
        if os.environ.pop(ONCE, None) or stays:
            flip(output, random.Random(seed), LOW_BIT["product"])

    return layer.register_forward_hook(hook)


def equal_everywhere(job: Job, kind: str) -> bool:
    """Do replicas hold the same, by the job's own means?"""
    said: list[Any] = [None] * WORLD
    dist.all_gather_object(said, hashlib.sha256(job.held()).digest())
    groups = [said] if kind == "ddp" else [said[0::2], said[1::2]]
    return all(len(set(group)) == 1 for group in groups)


def wrong_file(job: Job, folder: Path, draw: random.Random) -> None:
    path = folder / f"checkpoint-{job.number}.pt"
    tensors = {name: local(value.detach()).clone() for name, value in job.model.state_dict().items()}
    torch.save(tensors, path)
    content = bytearray(path.read_bytes())
    data = draw.choice([t for t in tensors.values() if t.numel() > WIDTH]).numpy().tobytes()
    content[content.index(data) + draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)
    torch.load(path)
    path.unlink()


def inject(job: Job, of: str, kind: str, victim: int, draw: random.Random, folder: Path) -> dict[str, Any]:
    """`draw` is the same on all ranks. Masked: a flipped bit of which nothing is left, by rounding or because nothing depends on it."""
    mine = job.rank == victim
    job.step()
    if kind == "product":
        job.until_replayed()
    before = [tensor.clone() for tensor in (*job.parameters(), *job.state())]
    first = job.number + 1
    stays = victim != FLAKY
    if kind == "product":
        tokens, seed, masked = job.batch(), draw.random(), False
        if mine:
            clean = job.gradient(tokens)
            with wrong_product(job, random.Random(seed), stays=stays):
                masked = job.gradient(tokens) == clean
        with wrong_product(job, random.Random(seed), stays=stays) if mine else contextlib.nullcontext():
            job.step(tokens)
    elif kind == "checkpoint":
        first, masked = job.number, False
        if mine:
            wrong_file(job, folder, draw)
    else:
        if mine:
            flip_held(job, kind, draw)
        job.until_compared()
        masked = equal_everywhere(job, of)
    for tensor, sound in zip((*job.parameters(), *job.state()), before, strict=True):
        tensor.copy_(sound)
    job.until_compared()
    while job.number < first + REST:
        job.step()
    # The victim knows of its product.
    told = [masked]
    dist.broadcast_object_list(told, victim)
    return {"kind": kind, "rank": victim, "first": first, "last": job.number, "stays": stays, "masked": told[0]}


def next_fault(
    kinds: list[str], told: dict[tuple[str, int], float], found: list[dict[str, Any]], draw: random.Random
) -> tuple[str, int] | None:
    """Of the kind that was chosen least."""
    now = time.monotonic()
    free = [
        (kind, rank)
        for kind in kinds
        for rank in range(WORLD)
        if now - told.get((TOLD_AS[kind], rank), -APART_S) >= APART_S
    ]
    had = collections.Counter(fault["kind"] for fault in found)
    least = min((had[kind] for kind, _ in free), default=0)
    return draw.choice([one for one in free if had[one[0]] == least]) if free else None


def run(rank: int, kind: str, config: Path, seconds: float, *, faults: bool) -> dict[str, Any]:
    job = Job(rank, kind, str(config))
    found: list[dict[str, Any]] = []
    told: dict[tuple[str, int], float] = {}
    chosen = random.Random(7)
    end = time.monotonic() + seconds
    # Intervals are stretched at the 20th step.
    for _ in range(30):
        job.step()
    while True:
        # The first rank's clock decides for all.
        plan: list[Any] = [None]
        if rank == 0 and time.monotonic() < end:
            plan = [(next_fault(KINDS[kind], told, found, chosen) if faults else None, chosen.random())]
        dist.broadcast_object_list(plan)
        if plan[0] is None:
            break
        fault, seed = plan[0]
        if fault is None:
            for _ in range(1 if faults else 25):
                job.step()
            continue
        what, victim = fault
        found.append(inject(job, kind, what, victim, random.Random(seed), config.parent))
        # Two replicas that differ are told as both, by both.
        for of in range(WORLD) if kind == "hsdp" and what != "checkpoint" else [victim]:
            told[TOLD_AS[what], of] = time.monotonic()
    steps = job.number
    job.monitor.detach()
    return {"steps": steps, "faults": found}


def rank_main(rank: int, port: int, folder: str, phases: list[str]) -> None:
    logging.basicConfig(level=logging.WARNING)
    os.environ["NODE_NAME"] = f"node-{rank}"
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=WORLD)
    done = {}
    for phase in phases:
        name, kind, seconds, *faults = phase.split(":")
        config = Path(folder) / f"node-{rank}" / f"{name}.yaml"
        done[name] = run(rank, kind, config, float(seconds), faults=bool(faults))
        dist.barrier()
    if rank == 0:
        print(json.dumps(done), flush=True)
    dist.destroy_process_group()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder")
    options.add_argument("--phases", nargs="+", required=True)
    chosen = options.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = (port, chosen.folder, chosen.phases)
    spawned = multiprocessing.get_context("spawn")
    ranks = [spawned.Process(target=rank_main, args=(rank, *arguments), daemon=True) for rank in range(WORLD)]
    for process in ranks:
        process.start()
    # A rank that fails takes the others with it: they are daemons of this process.
    while any(process.is_alive() for process in ranks):
        multiprocessing.connection.wait([process.sentinel for process in ranks if process.is_alive()])
        if any(process.exitcode for process in ranks):
            raise SystemExit("a rank failed")


if __name__ == "__main__":
    main()
