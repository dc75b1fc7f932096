"""torchrun starts a job anew after one of its ranks was killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import elastic
import sentinel_training
from analyser import Analyser
from conftest import Configure
from ranks import WORLD
from test_torch_healthy import nothing_wrong

WAIT_S = 240


def first_life_is_told(analyser: Analyser) -> bool:
    """Every rank has said hello and compared replicas, and some rank has told of a replay."""
    compared = [one.step for one in analyser.of("replicas")]
    return len(analyser.of("hello")) == WORLD and compared.count(2) == WORLD and bool(analyser.of("replay"))


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not what() and time.monotonic() < end:
        time.sleep(0.05)


def test_a_rank_that_is_killed(analyser: Analyser, configure: Configure, tmp_path: Path) -> None:
    """The same job in a new run; nobody is accused, and nobody waits for the dead."""
    places = [str(Path(sentinel_training.__file__).parents[1]), str(Path(elastic.__file__).parent)]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(WORLD)]
    options = ["--max-restarts", "1", "--monitor-interval", "0.2"]
    options += ["--rdzv-id", "elastic-job", "--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    script = [str(Path(elastic.__file__)), configure(job_id='""'), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places), "OMP_NUM_THREADS": "1"}
    # Else PyTorch 2.13 shows the second life of a gloo job the addresses of the first, with a monitor or without.
    environment["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"
    with (tmp_path / "errors").open("w") as errors:
        job = subprocess.Popen([*command, *options, *script], stdout=subprocess.DEVNULL, stderr=errors, env=environment)
        try:
            until(lambda: job.poll() is not None or first_life_is_told(analyser))
            (tmp_path / "told").touch()
            job.wait(WAIT_S)
        finally:
            # torchrun ends its ranks.
            job.terminate()
            job.wait()
    assert job.returncode == 0, (tmp_path / "errors").read_text()
    hellos = analyser.of("hello")
    assert {hello.job_id for hello in hellos} == {"elastic-job"}
    assert len({hello.run_id for hello in hellos}) == 2
    assert len(hellos) == 2 * WORLD
    nothing_wrong(analyser)
    for rank in range(WORLD):
        log = json.loads((tmp_path / f"log-{rank}.json").read_text())
        assert not any("comparison of ranks is off" in line for line in log), log
    # Comparisons and replays of both lives; the second resumed at step 4 and counts its own steps. Replays may be stretched after the
    # first.
    rounds = [one.step for one in analyser.of("replicas")]
    assert rounds.count(10) >= WORLD and rounds.count(2) >= 2 * WORLD
    assert [one.step for one in analyser.of("replay")].count(4) > WORLD
    loaded = [one for one in analyser.of("checkpoint") if one.expected]
    assert len(loaded) == WORLD and all(one.digest == one.expected for one in loaded)
