"""Four processes that are the ranks of a gloo job, kept for all tests of a session: to start them takes longer than to train."""

from __future__ import annotations

import faulthandler
import os
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from sentinel_training._kit import sender
from sentinel_training.pytorch import monitor

WORLD = 4
# Of one job on all ranks, their start included: four times PyTorch, on two cores that have more to do.
WAIT_S = 300.0


class Ranks:
    def __init__(self, world: int = WORLD) -> None:
        self._world = world
        self._pipes: list[Connection] = []
        self._processes: list[Any] = []
        self._store: dist.TCPStore | None = None

    def run(self, job: Callable[..., Any], **options: Any) -> list[Any]:
        """What `job(rank, **options)` gives on every rank."""
        self._start()
        for pipe in self._pipes:
            pipe.send((job, options))
        answers: dict[int, Any] = {}
        end = time.monotonic() + WAIT_S
        while len(answers) < self._world:
            ready = wait([pipe for rank, pipe in enumerate(self._pipes) if rank not in answers], end - time.monotonic())
            failures = [] if ready else ["ranks do not answer"]
            for pipe in ready:
                rank = self._pipes.index(pipe)  # type: ignore[arg-type]
                failure, answers[rank] = self._pipes[rank].recv()
                failures += [f"rank {rank}: {failure}"] if failure else []
            if failures:
                self.stop()
                raise AssertionError(failures[0])
        return [answers[rank] for rank in range(self._world)]

    def _start(self) -> None:
        if self._processes:
            return
        context = mp.get_context("spawn")
        # Here, and not in a rank: until that has started, a port that was free may be another's.
        self._store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
        for rank in range(self._world):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(rank, self._world, self._store.port, theirs), daemon=True)
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.join()
        self._pipes, self._processes, self._store = [], [], None


def patient() -> None:
    """In a process of its own: the end of a job waits for the analyser and for other ranks as long as a busy machine needs."""
    sender.END_WAIT_S = sender.SILENCE_S = monitor.SETTLE_S = 30.0


def _serve(rank: int, world: int, port: int, pipe: Connection) -> None:
    patient()
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    dist.init_process_group("gloo", store=dist.TCPStore("127.0.0.1", port), rank=rank, world_size=world)
    while True:
        job, options = pipe.recv()
        faulthandler.dump_traceback_later(WAIT_S - 5)
        try:
            pipe.send((None, job(rank, **options)))
        except Exception:
            pipe.send((traceback.format_exc(), None))
        faulthandler.cancel_dump_traceback_later()
