"""Four processes that are the ranks of a gloo job, kept for all tests of a session: to start them takes longer than to train."""

from __future__ import annotations

import faulthandler
import os
import socket
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

WORLD = 4
WAIT_S = 60.0


class Ranks:
    def __init__(self, world: int = WORLD) -> None:
        self._world = world
        self._pipes: list[Connection] = []
        self._processes: list[Any] = []

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
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        for rank in range(self._world):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(rank, self._world, port, theirs), daemon=True)
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.join()
        self._pipes, self._processes = [], []


def _serve(rank: int, world: int, port: int, pipe: Connection) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=world)
    while True:
        job, options = pipe.recv()
        faulthandler.dump_traceback_later(WAIT_S - 5)
        try:
            pipe.send((None, job(rank, **options)))
        except Exception:
            pipe.send((traceback.format_exc(), None))
        faulthandler.cancel_dump_traceback_later()
