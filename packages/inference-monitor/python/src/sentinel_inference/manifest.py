"""What the weights of a model have to be, as a file: checksums by worker and tensor.

A tensor's checksum depends on where it stands among the tensors of its worker; those of all tensors add up to the worker's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ._kit.settings import ConfigError

ALGORITHM = "sum64"
FORMAT = 1
MAX_DIFFERING = 16
_TWO_64 = 1 << 64


@dataclass(frozen=True)
class Shard:
    """The weights of one worker: (h1, h2) by tensor, and their bytes."""

    tensors: Mapping[str, tuple[int, int]]
    size: int

    @property
    def digest(self) -> bytes:
        """h1 and h2 over all tensors, big-endian, 16 bytes."""
        h1 = sum(one[0] for one in self.tensors.values()) % _TWO_64
        h2 = sum(one[1] for one in self.tensors.values()) % _TWO_64
        return h1.to_bytes(8, "big") + h2.to_bytes(8, "big")

    def differing(self, other: Shard) -> list[str]:
        """Names of at most 16 tensors that the other has otherwise, or not at all."""
        names = dict.fromkeys([*self.tensors, *other.tensors])
        return [name for name in names if self.tensors.get(name) != other.tensors.get(name)][:MAX_DIFFERING]


def write(path: str | Path, shards: Sequence[Shard], about: Mapping[str, str]) -> None:
    """`about`: model, framework and what else a reader wants to know; not compared."""
    content = {
        "format": FORMAT,
        "algorithm": ALGORITHM,
        "about": dict(about),
        "workers": [
            {"bytes": shard.size, "tensors": {name: f"{h1:016x}{h2:016x}" for name, (h1, h2) in shard.tensors.items()}}
            for shard in shards
        ],
    }
    Path(path).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read(path: str | Path) -> list[Shard]:
    """By worker.

    Raises:
        ConfigError: the file cannot be read, or is no manifest of this format.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if content["format"] != FORMAT or content["algorithm"] != ALGORITHM:
            raise ValueError(f"format {content['format']} with {content['algorithm']}, not {FORMAT} with {ALGORITHM}")
        return [
            Shard(
                {name: (int(value[:16], 16), int(value[16:32], 16)) for name, value in worker["tensors"].items()},
                worker["bytes"],
            )
            for worker in content["workers"]
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as reason:
        raise ConfigError(
            f"{path}: is no manifest of weights ({type(reason).__name__}: {reason}): "
            "write one with python -m sentinel_inference manifest"
        ) from None
