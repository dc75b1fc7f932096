"""What all ranks agree on when the monitor is attached: whether they compare, how often, and who is where."""

from __future__ import annotations

import datetime
import hashlib
import os
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch.distributed as dist

from .. import __version__
from .._wire import training_pb2 as wire
from ..config import Settings
from .topology import Topology

# How long ranks wait for each other to attach. Where one never does, none compares.
ATTACH_WAIT_S = 60.0
# An exchange of a few bytes between ranks that takes longer than this is given up by the library that runs it.
EXCHANGE_WAIT = datetime.timedelta(minutes=10)


@dataclass(frozen=True)
class Place:
    node: str
    gpu: str
    replica_group: int


@dataclass(frozen=True)
class Agreement:
    settings: Settings
    job_id: str
    run_id: str
    # By rank.
    places: tuple[Place, ...]
    # None: this rank compares with no other.
    group: dist.ProcessGroup | None
    # Why, where ranks exist and do not compare.
    apart: str = ""


def alone(settings: Settings, here: Topology, apart: str = "") -> Agreement:
    places = tuple(_place(here) if rank == here.rank else Place("", "", 0) for rank in range(here.world))
    return Agreement(settings, _job_id(settings), uuid.uuid4().hex, places, None, apart)


def agree(settings: Settings, here: Topology, attempt: int) -> Agreement:
    """Blocks until all ranks that do their steps together have attached, at most ATTACH_WAIT_S. Waits for no other.

    Args:
        attempt: how many times this process attached before, the same on all ranks.
    """
    if len(here.together) == 1:
        return alone(settings, here)
    if not settings.cross_rank_enabled:
        return alone(settings, here, "cross_rank.enabled is false")
    if not _all_come(here, attempt):
        return alone(settings, here, _not_all(here))
    members = list(here.together)
    group = dist.new_group(
        members, backend="gloo", timeout=EXCHANGE_WAIT, use_local_synchronization=len(members) < here.world
    )
    said: list[Any] = [None] * len(members)
    mine = {"place": _place(here), "settings": settings, "job": _job_id(settings), "run": uuid.uuid4().hex}
    dist.all_gather_object(said, mine, group=group)
    first = said[0]
    # Paths and the socket may differ from node to node; what decides who calls what in which step may not.
    own = {"path": settings.path, "socket_path": settings.socket_path}
    common = replace(first["settings"], **own)
    places = [Place("", "", 0)] * here.world
    for rank, one in zip(members, said, strict=True):
        places[rank] = one["place"]
    return Agreement(common, first["job"], first["run"], tuple(places), group)


def hello(agreed: Agreement, here: Topology) -> wire.RankHello:
    return wire.RankHello(
        job_id=agreed.job_id,
        run_id=agreed.run_id,
        rank=here.rank,
        ranks=[wire.RankPlace(node=p.node, gpu=p.gpu, replica_group=p.replica_group) for p in agreed.places],
        framework=here.framework,
        library_version=__version__,
        first_step=0,
    )


def _all_come(here: Topology, attempt: int) -> bool:
    """The first rank decides once for all, so that no rank waits in a collective for one that has given up."""
    store = dist.distributed_c10d._get_default_store()
    # torchrun keeps the store when it starts the ranks anew: what those before them said does not count.
    life = f"{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}.{here.world}"
    members = hashlib.sha256(repr(here.together).encode()).hexdigest()[:16]
    key = f"sentinel_training/{life}/{members}/{attempt}"
    # PyTorch names a group of some of the ranks after how many groups each of its ranks knows, which must be the same.
    groups = len(dist.distributed_c10d._world.pg_names) if len(here.together) < here.world else 0
    store.set(f"{key}/{here.rank}", str(groups))
    wait = datetime.timedelta(seconds=ATTACH_WAIT_S)
    wish = "compare"
    try:
        if here.rank == here.together[0]:
            store.wait([f"{key}/{rank}" for rank in here.together], wait)
            if {int(store.get(f"{key}/{rank}")) for rank in here.together} != {groups}:
                wish = "apart"
        else:
            store.wait([f"{key}/decision"], wait)
    except Exception:
        wish = "apart"
    if here.rank == here.together[0] or wish == "apart":
        return bytes(store.compare_set(f"{key}/decision", "", wish)) == b"compare"
    return bytes(store.get(f"{key}/decision")) == b"compare"


def _not_all(here: Topology) -> str:
    why = f"not every rank attached the monitor within {ATTACH_WAIT_S:.0f} s"
    if len(here.together) < here.world:
        why += ", or ranks of one group made different numbers of process groups"
    return why


def _place(here: Topology) -> Place:
    group = 1 + min(here.replicas) if len(here.replicas) > 1 else 0
    return Place(here.node, here.gpu, group)


def _job_id(settings: Settings, environment: Mapping[str, str] = os.environ) -> str:
    """As configured; else as the scheduler names the job, which holds over restarts; else the program's name."""
    scheduled = environment.get("SLURM_JOB_ID") or environment.get("TORCHELASTIC_RUN_ID", "none")
    named = settings.job_id or (scheduled if scheduled != "none" else Path(sys.argv[0] or "python").stem)
    return named[:128]
