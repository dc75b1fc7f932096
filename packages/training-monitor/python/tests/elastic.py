"""A job as torchrun starts it, on every rank: resumes from its checkpoint; in its first life one rank is killed, once the file "told"
says that the analyser was told of that life: what a rank has not sent dies with it.

python elastic.py CONFIG FOLDER
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist

import jobs
from ranks import patient

STEPS, KILLED, KILLED_AT = 14, 2, 7


def main(config: str, folder: Path) -> None:
    torch.set_num_threads(1)
    patient()
    dist.init_process_group("gloo")
    rank, first_life = dist.get_rank(), os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"
    job = jobs.Job(rank, "ddp", config)
    kept = folder / "kept.pt"
    done = 0
    if kept.exists():
        content = torch.load(kept)
        job.model.load_state_dict(content["model"])
        job.optimizer.load_state_dict(content["optimizer"])
        done = content["done"]
    while done < STEPS:
        job.step()
        done += 1
        if rank == 0 and done % 4 == 0:
            torch.save(
                {"model": job.model.state_dict(), "optimizer": job.optimizer.state_dict(), "done": done}, folder / "new"
            )
            (folder / "new").rename(kept)
            (folder / "new.sentinel.json").rename(folder / "kept.pt.sentinel.json")
        if first_life and rank == KILLED and done == KILLED_AT:
            while not (folder / "told").exists():
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)
    log = job.end()["log"]
    (folder / f"log-{rank}.json").write_text(json.dumps(log))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
