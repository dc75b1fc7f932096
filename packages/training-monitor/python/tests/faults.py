"""Bits that flip on one rank, as a faulty GPU would flip them."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

import jobs

FAULTY = 2
# Where two are.
TWO = (1, 3)
# Steps of the fault, counted from 1; replay looks at steps 4 and 8.
STEP = 4
# A device keeps its faults where the model's Python objects do not show them.
ONCE = "FAULT_ONCE"


def flip(tensor: Tensor, index: int = 7, bit: int = 20) -> None:
    words = tensor.detach().view(-1).view(torch.int32)
    words[index] = words[index] ^ (1 << bit)


def weight_after_step(job: jobs.Job, rank: int, step: int) -> Callable[[], None] | None:
    """In memory, after ranks had reduced their gradients."""
    if rank != FAULTY or step != STEP:
        return None
    return lambda: flip(job.model.blocks[0].up.weight)


def weights_of_two(job: jobs.Job, rank: int, step: int) -> Callable[[], None] | None:
    """In the same step on two of four ranks, each in another place."""
    if rank not in TWO or step != STEP:
        return None
    return lambda: flip(job.model.blocks[0].up.weight, index=rank)


def weights_alike(job: jobs.Job, rank: int, step: int) -> None:
    """Two of four ranks hold the same wrong weight."""
    if rank >= FAULTY and step == STEP - 1:
        flip(job.model.blocks[0].up.weight)


def state_after_step(job: jobs.Job, rank: int, step: int) -> Callable[[], None] | None:
    if rank != FAULTY or step != STEP:
        return None
    return lambda: flip(job.optimizer.state[job.model.blocks[1].down.weight]["exp_avg"])


def product_once(job: jobs.Job, rank: int, step: int) -> Callable[[], None] | None:
    """In the output of a matrix product, the first time only."""
    if rank != FAULTY or step != STEP:
        return None
    os.environ[ONCE] = "1"

    def hook(_: nn.Module, __: Any, output: Tensor) -> None:
        if os.environ.pop(ONCE, None):
            flip(output, bit=22)

    return job.model.blocks[0].up.register_forward_hook(hook).remove


def product_that_makes_the_loss_jump(job: jobs.Job, rank: int, step: int) -> Callable[[], None] | None:
    """In the output of a matrix product, from its step on: a high bit of the exponent, each time."""
    if rank != FAULTY or step < STEP:
        return None

    def hook(_: nn.Module, __: Any, output: Tensor) -> None:
        flip(output, bit=29)

    return job.model.blocks[0].up.register_forward_hook(hook).remove


class Pictures(nn.Module):
    """A network of the kind that pytorchfi injects into. Gives back scores; its user computes the loss."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3)
        self.head = nn.Linear(8 * 4 * 4, 10)

    def forward(self, pictures: Tensor) -> Tensor:
        x = torch.relu(self.second(torch.relu(self.first(pictures))))
        return self.head(x.flatten(1))


def train_injected_by_pytorchfi(rank: int, *, config: str, steps: int = 4) -> list[str]:
    """One rank computes a wrong value in the output of a convolution, every time that it computes it."""
    from pytorchfi.core import fault_injection

    torch.manual_seed(3)
    model: nn.Module = Pictures()
    if rank == FAULTY:
        injector = fault_injection(model, 4, input_shape=[3, 8, 8], layer_types=[nn.Conv2d], use_cuda=False)
        model = injector.declare_neuron_fi(batch=[1], layer_num=[1], dim1=[2], dim2=[1], dim3=[1], value=[0.4])
        model.register_forward_pre_hook(lambda *_: injector.reset_current_layer())
        # It sets up a format that only its own lines have the fields for.
        logging.getLogger().handlers.clear()
    wrapped = DistributedDataParallel(model)
    optimizer = torch.optim.SGD(wrapped.parameters(), lr=0.01, momentum=0.9)
    log = jobs.Log()
    monitor = jobs.sentinel_training.pytorch.TrainingMonitor(config_path=config)
    monitor.attach(wrapped, optimizer)
    torch.manual_seed(10 + rank)
    for _ in range(steps):
        optimizer.zero_grad()
        scores = wrapped(torch.randn(4, 3, 8, 8))
        nn.functional.cross_entropy(scores, torch.randint(0, 10, (4,))).backward()
        optimizer.step()
    monitor.detach()
    log.remove()
    return log.lines
