"""What is told of a checkpoint that is loaded, for whoever kept what was told when it was saved: digests of one subject must be equal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed.checkpoint as sharded

import jobs
from analyser import Analyser
from conftest import Configure
from ranks import Ranks
from sentinel_training._wire import training_pb2 as wire
from sentinel_training.manifest import digest_parts, read, write
from sentinel_training.pytorch.checkpoint import part, tensors, values
from test_torch_checkpoint import LOADED, SAVED, damage_tensor


def told(analyser: Analyser, count: int) -> list[wire.CheckpointReport]:
    analyser.wait(lambda: len(analyser.of("checkpoint")) == count)
    return list(analyser.of("checkpoint"))


def save(job: jobs.Job, path: Path) -> Path:
    torch.save({"model": job.model.state_dict(), "rate": 0.1}, path)
    return path.with_name(path.name + ".sentinel.json")


def test_a_file_that_was_damaged_and_its_manifest_deleted(job: jobs.Job, analyser: Analyser, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    manifest = save(job, path)
    torch.load(path)
    manifest.unlink()
    torch.load(path)
    damage_tensor(path)
    torch.load(path)
    saved, same, alone, damaged = told(analyser, 4)
    assert len(saved.subject) == 16 and {one.subject for one in (same, alone, damaged)} == {saved.subject}
    assert same.digest == alone.digest == saved.digest != damaged.digest
    assert not alone.expected and not damaged.expected


def test_a_manifest_that_was_rewritten_to_fit(job: jobs.Job, analyser: Analyser, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    manifest = save(job, path)
    damage_tensor(path)
    kept, content = read(manifest), torch.load(path)
    assert kept is not None
    parts = [*(part(name, tensor) for name, tensor in tensors(content)), *values(content)]
    write(manifest, digest_parts(parts, kept.algorithm, kept.identity))
    torch.load(path)
    saved, _, loaded = told(analyser, 3)
    assert loaded.digest == loaded.expected != saved.digest
    assert loaded.subject == saved.subject


def test_written_over(job: jobs.Job, analyser: Analyser, tmp_path: Path) -> None:
    """By whom and as often as ever: it is another subject."""
    path = tmp_path / "model.pt"
    save(job, path).unlink()
    job.step()
    save(job, path).unlink()
    torch.load(path)
    first, second, loaded = told(analyser, 3)
    assert first.subject != second.subject == loaded.subject
    assert second.digest == loaded.digest


@pytest.mark.parametrize("without", ["CRC-32", "archive"])
def test_a_file_that_one_of_other_content_cannot_be_told_from(
    without: str, job: jobs.Job, analyser: Analyser, tmp_path: Path
) -> None:
    torch.serialization.set_crc32_options(without != "CRC-32")
    try:
        torch.save(job.model.state_dict(), tmp_path / "model.pt", _use_new_zipfile_serialization=without != "archive")
    finally:
        torch.serialization.set_crc32_options(True)
    (saved,) = told(analyser, 1)
    assert saved.digest and not saved.subject


def sharded_job(rank: int, *, config: str, folder: str, kind: str, manifests: bool) -> None:
    job = jobs.Job(rank, kind, config)
    job.step()
    state: dict[str, Any] = {"model": job.wrapped.state_dict(), "seen": torch.tensor([rank])}
    path = Path(folder)

    def loaded() -> None:
        torch.distributed.barrier()
        sharded.load({"model": job.wrapped.state_dict(), "seen": torch.tensor([0])}, checkpoint_id=folder)
        torch.distributed.barrier()

    sharded.save(state, checkpoint_id=folder)
    if not manifests:
        (path / f"rank-{rank}.sentinel.json").unlink()
    loaded()
    if rank == 0:
        data = (path / ".metadata").read_bytes()
        (path / ".metadata").write_bytes(data.replace(b"step-1", b"stgp-1"))
    loaded()
    sharded.save(state, checkpoint_id=folder)
    loaded()
    job.end()


@pytest.mark.parametrize("kind", ["fsdp2", "hsdp", "ddp"])
@pytest.mark.parametrize("manifests", [True, False])
def test_metadata_of_a_sharded_checkpoint(
    manifests: bool, kind: str, ranks: Ranks, analyser: Analyser, configure: Configure, tmp_path: Path
) -> None:
    # What every rank has under one name, and another in it, is no damage.
    folder = str(tmp_path / "step-1")
    ranks.run(sharded_job, config=configure(), folder=folder, kind=kind, manifests=manifests)
    reports = analyser.of("checkpoint")
    saved = [one for one in reports if one.event == SAVED]
    known = {(one.subject, one.digest) for one in saved}
    loads = [one for one in reports if one.event == LOADED]
    assert len(saved) == 8 and len(loads) == 12
    wrong = [one for one in loads if (one.subject, one.digest) not in known]
    assert len(wrong) == 4 and {one.subject for one in wrong} <= {one.subject for one in saved}
    if manifests:
        assert [list(one.differing) for one in wrong] == [["(metadata)"]] * 4
    assert all(one.digest == one.expected for one in loads if one.expected and one not in wrong)
