"""A JAX job of two processes over gloo: each tells of its own devices."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from analyser import Analyser
from conftest import Configure

JOB = Path(__file__).with_name("jax_process.py")
DEVICES = 4
WAIT_S = 300


def run(config: str, faulty: int) -> None:
    with socket.socket() as held:
        # Nobody else is given the port until the first process, whose gRPC shares it, listens there; nobody listens on this one.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        command = [sys.executable, str(JOB)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        jobs = [
            subprocess.Popen(
                [*command, str(process), str(port), config, str(faulty)], stderr=subprocess.PIPE, env=environment
            )
            for process in range(2)
        ]
        ended = [job.communicate(timeout=WAIT_S) for job in jobs]
    for job, (_, errors) in zip(jobs, ended, strict=True):
        assert job.returncode == 0, errors.decode()


@pytest.mark.parametrize("faulty", [-1, 3])
def test_each_compares_its_own_devices(faulty: int, analyser: Analyser, configure: Configure) -> None:
    run(configure(), faulty)
    hellos = analyser.of("hello")
    assert sorted(hello.rank for hello in hellos) == [0, 2]
    for hello in hellos:
        own = [rank // 2 * 2 == hello.rank for rank in range(DEVICES)]
        assert [bool(place.node) for place in hello.ranks] == own
        assert [place.replica_group > 0 for place in hello.ranks] == own
    told: dict[tuple[int, int], list[bytes]] = {}
    for one in analyser.of("replicas"):
        ranks = [rank for rank, sums in enumerate(one.checksums) if sums]
        assert ranks in ([0, 1], [2, 3])
        told[one.step, ranks[0]] = [one.checksums[rank] for rank in ranks]
    assert sorted(told) == [(step, first) for step in (2, 4, 6, 8) for first in (0, 2)]
    for (step, first), sums in told.items():
        assert (sums[0] != sums[1]) == (faulty - first in (0, 1) and step > 5)
