"""What the analyser is told of a checkpoint that was saved or loaded."""

from __future__ import annotations

import time
from pathlib import Path

from ._wire import training_pb2 as wire
from .manifest import METADATA, VALUES, Manifest, differing

MAX_PATH_BYTES = 1024


def record(
    path: Path,
    event: wire.CheckpointReport.Event,
    now: Manifest,
    kept: Manifest | None,
    step: int,
    whole: bool = False,
    subject: bytes = b"",
) -> wire.StreamStepsRequest:
    """`kept`: what the manifest beside a loaded checkpoint says. `whole`: a tensor that only one of them has is a difference, too.
    `subject`: what the digest is of; empty = not known."""
    comparable = (
        kept is not None and kept.algorithm == now.algorithm and (whole or kept.tensors.keys() == now.tensors.keys())
    )
    report = wire.CheckpointReport(
        step=step,
        time_us=time.time_ns() // 1000,
        path=str(path).encode()[-MAX_PATH_BYTES:].decode(errors="ignore"),
        event=event,
        algorithm=now.algorithm,
        digest=bytes.fromhex(now.digest),
        expected=bytes.fromhex(kept.digest) if kept is not None and comparable else b"",
        bytes=now.bytes,
        replica_checksum=bytes.fromhex(now.replica_checksum),
        tensors=sum(name not in (VALUES, METADATA) for name in now.tensors),
        subject=subject,
        differing=differing(now, kept) if kept is not None and comparable else [],
    )
    return wire.StreamStepsRequest(checkpoint=report)
