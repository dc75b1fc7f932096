"""One bit that changes somewhere in a checkpoint or in its manifest."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import jobs
from analyser import Analyser
from sentinel_training._wire import training_pb2 as wire
from test_torch_checkpoint import damage_tensor

MANIFEST = ".sentinel.json"


def reload(job: jobs.Job, analyser: Analyser, path: Path, damage: Callable[[Path], None]) -> wire.CheckpointReport:
    before = len(analyser.of("checkpoint"))
    torch.save({"model": job.model.state_dict(), "optimizer": job.optimizer.state_dict(), "rate": 0.00123}, path)
    damage(path)
    torch.load(path)
    analyser.wait(lambda: len(analyser.of("checkpoint")) == before + 2)
    return analyser.of("checkpoint")[-1]


def flip(path: Path, what: bytes, at: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(what) + at] ^= bit
    path.write_bytes(data)


def identity(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        name = next(one for one in archive.namelist() if one.endswith("serialization_id"))
        told = archive.read(name)
    flip(path, told, 3, 1)


def nothing(_: Path) -> None:
    pass


def name_of_a_tensor(path: Path) -> None:
    flip(path, b"blocks.0.up.weight", 9, 2)


def value(path: Path) -> None:
    flip(path, struct.pack(">d", 0.00123), 3, 4)


def identity_and_tensor(path: Path) -> None:
    identity(path)
    damage_tensor(path)


@pytest.mark.parametrize(
    ("damage", "differing"),
    [
        (nothing, []),
        (name_of_a_tensor, ["model.blocks.0.up.weight", "model.blocks.0.wp.weight"]),
        (value, ["(values)"]),
        (identity, []),
        (identity_and_tensor, ["model.calls"]),
    ],
)
def test_in_the_file(
    damage: Callable[[Path], None], differing: list[str], job: jobs.Job, analyser: Analyser, tmp_path: Path
) -> None:
    report = reload(job, analyser, tmp_path / "model.pt", damage)
    assert report.expected and (report.digest != report.expected) == bool(differing)
    assert sorted(report.differing) == differing


def digit(path: Path) -> None:
    manifest = path.with_name(path.name + MANIFEST)
    flip(manifest, json.loads(manifest.read_text())["digest"].encode(), 0, 1)


def line(path: Path) -> None:
    manifest = path.with_name(path.name + MANIFEST)
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join(one for one in lines if "blocks.0.up.weight" not in one))


def byte(path: Path) -> None:
    flip(path.with_name(path.name + MANIFEST), b"tensors", 0, 0x80)


def version(path: Path) -> None:
    flip(path.with_name(path.name + MANIFEST), b'"version": 3', 11, 1)


@pytest.mark.parametrize("damage", [digit, line, byte, version])
def test_in_the_manifest(damage: Callable[[Path], None], job: jobs.Job, analyser: Analyser, tmp_path: Path) -> None:
    """It accuses no checkpoint, says so, and the next checkpoint is compared as ever."""
    report = reload(job, analyser, tmp_path / "first.pt", damage)
    assert report.digest and not report.expected
    assert any("first.pt.sentinel.json is damaged" in line for line in job.log.lines)
    after = reload(job, analyser, tmp_path / "second.pt", damage_tensor)
    assert after.expected and after.digest != after.expected
