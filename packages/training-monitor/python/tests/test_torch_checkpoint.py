"""A bit that changes in a checkpoint between save and load."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed.checkpoint as sharded

import faults
import jobs
from analyser import Analyser
from conftest import Configure
from ranks import Ranks
from sentinel_training._wire import training_pb2 as wire
from sentinel_training.manifest import read
from sentinel_training.pytorch.checkpoint import tensors, values

SAVED, LOADED = wire.CheckpointReport.EVENT_SAVED, wire.CheckpointReport.EVENT_LOADED


def save_and_load(rank: int, *, config: str, folder: str, damage: bool) -> Any:
    job = jobs.Job(rank, "ddp", config)
    job.step()
    path = Path(folder) / f"rank{rank}.pt"
    torch.save({"model": job.model.state_dict(), "optimizer": job.optimizer.state_dict()}, path)
    if damage and rank == 3:
        damage_tensor(path)
    loaded = torch.load(path)
    job.model.load_state_dict(loaded["model"])
    job.step()
    job.end()


def damage_tensor(path: Path) -> None:
    """Changes one bit of the first tensor in the file."""
    with zipfile.ZipFile(path) as archive:
        entry = next(one for one in archive.infolist() if one.filename.endswith("/data/0"))
        with archive.open(entry) as content:
            data = content.read()
    whole = bytearray(path.read_bytes())
    whole[whole.index(data, entry.header_offset) + 5] ^= 4
    path.write_bytes(whole)


@pytest.mark.parametrize("algorithm", ["sha256", "xxhash"])
def test_one_rank_loads_what_a_disk_changed(
    algorithm: str, ranks: Ranks, analyser: Analyser, configure: Configure, tmp_path: Path
) -> None:
    config = configure(checkpoint=f"{{hash_algorithm: {algorithm}}}")
    ranks.run(save_and_load, config=config, folder=str(tmp_path), damage=True)
    reports = {(Path(one.path).name, one.event): one for one in analyser.of("checkpoint")}
    assert len(reports) == 8
    for rank in range(4):
        saved, loaded = reports[f"rank{rank}.pt", SAVED], reports[f"rank{rank}.pt", LOADED]
        assert saved.algorithm == algorithm
        assert loaded.expected == saved.digest
        assert (loaded.digest != loaded.expected) == (rank == 3)
        assert list(loaded.differing) == (["model.calls"] if rank == 3 else [])
        assert saved.bytes == loaded.bytes > 0
        manifest = read(tmp_path / f"rank{rank}.pt.sentinel.json")
        assert manifest is not None and manifest.digest == saved.digest.hex()
        # All but the values that are no tensors.
        assert saved.tensors == len(manifest.tensors) - 1 > 0
    assert len({reports[f"rank{rank}.pt", SAVED].replica_checksum for rank in range(4)}) == 1


def test_written_anew_without_the_monitor(analyser: Analyser, configure: Configure, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    for config, steps in ((configure(), 1), (None, 2)):
        job = jobs.Job(0, "plain", config)
        for _ in range(steps):
            job.step()
        torch.save(job.model.state_dict(), path)
        job.end()
    job = jobs.Job(0, "plain", configure())
    torch.load(path)
    assert any("not compared" in line for line in job.end()["log"])
    analyser.wait(lambda: len(analyser.of("checkpoint")) == 2)
    assert analyser.of("checkpoint")[-1].expected == b""


NAME = "blocks.0.up.weight"


def save_and_load_sharded(rank: int, *, config: str, folder: str) -> list[str]:
    job = jobs.Job(rank, "fsdp2", config)
    job.step()
    state = {"model": job.wrapped.state_dict()}
    sharded.save(state, checkpoint_id=folder)
    if rank == faults.FAULTY:
        held = state["model"][NAME].to_local().numpy().tobytes()
        file = Path(folder) / f"__{rank}_0.distcp"
        data = bytearray(file.read_bytes())
        data[data.index(held) + 6] ^= 1
        file.write_bytes(data)
    torch.distributed.barrier()
    sharded.load(state, checkpoint_id=folder)
    job.end()
    return [path.name for path in Path(folder).iterdir()]


def test_sharded(ranks: Ranks, analyser: Analyser, configure: Configure, tmp_path: Path) -> None:
    names = ranks.run(save_and_load_sharded, config=configure(), folder=str(tmp_path / "step-1"))[0]
    assert {f"rank-{rank}.sentinel.json" for rank in range(4)} <= set(names)
    loaded = [one for one in analyser.of("checkpoint") if one.event == LOADED]
    assert len(loaded) == 4
    wrong = [one for one in loaded if one.digest != one.expected]
    assert [list(one.differing) for one in wrong] == [[f"model.{NAME}[64:96,0:32]"]]


def test_only_what_needs_no_other_rank_is_asked_for_its_state() -> None:
    class Application:
        """As the documentation of torch.distributed.checkpoint has it: asked for its state it may gather it from all ranks."""

        def state_dict(self) -> dict[str, Any]:
            raise AssertionError("it was asked once more")

    class FullyShardedDataParallel(torch.nn.Linear):
        state_dict = Application.state_dict

    model = torch.nn.Linear(2, 1)
    content = {
        "model": model,
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.5),
        "app": Application(),
        "sharded": torch.nn.Sequential(FullyShardedDataParallel(2, 1)),
        "weight": torch.ones(3),
    }
    assert [name for name, _ in tensors(content)] == ["model.weight", "model.bias", "weight"]
    assert b"lr 0.5" in values(content)[0].data
