"""What kind of job this is: the framework around the model, and which ranks hold the same parameters."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import cast

import torch
import torch.distributed as dist
from torch import nn


@dataclass(frozen=True)
class Topology:
    # "single", "plain" (ranks, but nothing that keeps them equal), "ddp", "fsdp1" or "fsdp2"
    kind: str
    compiled: bool
    rank: int
    world: int
    # Global ranks that hold the same parameters as this one, itself included, ascending; only itself where not known.
    replicas: tuple[int, ...]
    # Global ranks that this one does each step together with, itself included, ascending: `replicas` and those with other shards.
    together: tuple[int, ...]
    device: torch.device
    node: str
    # "GPU-…", or "" for a CPU
    gpu: str

    @property
    def sharded(self) -> bool:
        return self.kind in ("fsdp1", "fsdp2")

    @property
    def framework(self) -> str:
        return f"pytorch {torch.__version__} {self.kind}{' compiled' if self.compiled else ''}"


def inner(module: nn.Module) -> nn.Module:
    """The user's own module below DistributedDataParallel and torch.compile."""
    while True:
        if isinstance(module, nn.parallel.DistributedDataParallel):
            module = module.module
        elif hasattr(module, "_orig_mod"):
            module = cast(nn.Module, module._orig_mod)
        else:
            return module


def data_parallel(module: nn.Module) -> nn.parallel.DistributedDataParallel | None:
    while hasattr(module, "_orig_mod"):
        module = cast(nn.Module, module._orig_mod)
    return module if isinstance(module, nn.parallel.DistributedDataParallel) else None


def ignored(ddp: nn.parallel.DistributedDataParallel | None) -> frozenset[nn.Parameter]:
    """Parameters that DistributedDataParallel was told to leave alone: each rank has its own."""
    if ddp is None:
        return frozenset()
    return frozenset(p for name, p in ddp.module.named_parameters() if name in ddp.parameters_to_ignore)


def local(tensor: torch.Tensor) -> torch.Tensor:
    """What this rank holds of a tensor."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


def topology(module: nn.Module) -> Topology:
    distributed = dist.is_available() and dist.is_initialized()
    rank, world = (dist.get_rank(), dist.get_world_size()) if distributed else (0, 1)
    parameter = next(iter(module.parameters()), None)
    device = torch.device("cpu") if parameter is None else local(parameter).device
    kind = "plain" if distributed else "single"
    replicas: tuple[int, ...] = (rank,)
    together = replicas
    ddp = data_parallel(module)
    if ddp is not None:
        kind, replicas = "ddp", tuple(sorted(dist.get_process_group_ranks(ddp.process_group)))
        together = replicas
    elif any(type(part).__name__ == "FullyShardedDataParallel" for part in module.modules()):
        kind, together = "fsdp1", tuple(range(world))
    elif parameter is not None and hasattr(parameter, "device_mesh"):
        kind, replicas = "fsdp2", _replicas_of_shard(parameter, rank)
        together = tuple(sorted(int(other) for other in parameter.device_mesh.mesh.reshape(-1).tolist()))
    return Topology(
        kind=kind,
        compiled=any(hasattr(part, "_orig_mod") for part in module.modules()),
        rank=rank,
        world=world,
        replicas=replicas,
        together=together,
        device=device,
        node=os.environ.get("NODE_NAME") or socket.gethostname(),
        gpu=_gpu(device),
    )


def what_is_off(here: Topology) -> list[str]:
    """Detectors that have nothing to work on in such a job, each with the reason."""
    off = []
    if here.world > 1 and len(here.together) == 1:
        off.append("comparison of ranks (nothing that the monitor knows brings them together in each step)")
    elif here.world > 1 and len(here.replicas) == 1:
        off.append("replica checksums (no other rank is known to hold the same parameters)")
    if here.sharded:
        off.append("replay and local gradient norms (parameters are sharded)")
    if here.compiled:
        off.append("checks of matrix products (the model is compiled)")
    return off


def _replicas_of_shard(parameter: torch.Tensor, rank: int) -> tuple[int, ...]:
    """The ranks of a device mesh that differ from this one only along dimensions on which the tensor is replicated."""
    mesh = parameter.device_mesh  # type: ignore[attr-defined]
    place = mesh.get_coordinate()
    if place is None:
        return (rank,)
    placements = parameter.placements  # type: ignore[attr-defined]
    index = tuple(slice(None) if how.is_replicate() else at for how, at in zip(placements, place, strict=True))
    return tuple(sorted(int(other) for other in mesh.mesh[index].reshape(-1).tolist()))


def _gpu(device: torch.device) -> str:
    if device.type != "cuda":
        return ""
    return f"GPU-{torch.cuda.get_device_properties(device).uuid}"
