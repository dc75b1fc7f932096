"""From checksums of the workers to the report about the weights. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

from ._wire import inference_pb2 as wire
from .limits import TENSOR_BYTES, clipped
from .manifest import ALGORITHM, Shard


class Weights:
    """Compares with a manifest, or without one with the first checksum after the weights were loaded."""

    def __init__(self, manifest: Sequence[Shard] | None) -> None:
        self._manifest = manifest
        self._first: Sequence[Shard] | None = None
        self._reloaded = False
        self._mixed = False

    def reloaded(self) -> None:
        """Weights were exchanged on purpose: what they are from now on is right, unless a manifest says otherwise."""
        self._first = None
        self._reloaded = True
        self._mixed = True

    def begin(self) -> None:
        """A checksum begins, which takes many steps of the server."""
        self._mixed = False

    def report(self, shards: Sequence[Shard], time_us: int) -> wire.WeightReport | None:
        """Of the checksums by worker. None where weights were exchanged since `begin`: what was read is of neither."""
        if self._mixed:
            return None
        known = self._manifest if self._manifest is not None else self._first
        report = wire.WeightReport(time_us=time_us, algorithm=ALGORITHM, reloaded=self._reloaded)
        for worker, shard in enumerate(shards):
            expected = known[worker] if known is not None and worker < len(known) else None
            report.shards.append(
                wire.WeightShard(
                    worker=worker,
                    digest=shard.digest,
                    expected=expected.digest if expected is not None else b"",
                    bytes=shard.size,
                    differing=[clipped(name, TENSOR_BYTES) for name in expected.differing(shard)]
                    if expected is not None
                    else [],
                )
            )
        self._reloaded = False
        if self._first is None:
            self._first = shards
        return report
