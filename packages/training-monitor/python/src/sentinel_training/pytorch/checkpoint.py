"""Hashes what torch.save and torch.distributed.checkpoint.save write, and compares what is loaded.

Both are watched by functions in their places, so that the user's code stays as it is: a name imported before the monitor was
attached (`from torch import save`) is not seen.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from .._kit.guard import Guard, log
from .._wire import training_pb2 as wire
from ..checkpoint_record import record
from ..config import Settings
from ..manifest import METADATA, VALUES, Manifest, Part, digest_parts, read, subject, write
from .topology import local
from .watched import Watched

SUFFIX = ".sentinel.json"
# Values that are no tensors, beyond which a checkpoint's are not compared.
MAX_VALUES = 65_536
# As torch.distributed.checkpoint pickles it into .metadata, anew with each save.
_SAVE_ID = re.compile(rb"save_id.{1,8}([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.DOTALL)
_PLAIN = (int, float, bool, str, bytes, type(None))


class Checkpoints:
    def __init__(
        self,
        settings: Settings,
        rank: int,
        send: Callable[[wire.StreamStepsRequest], None],
        guard: Guard,
        step: Callable[[], int],
    ) -> None:
        self._settings, self._rank, self._send, self._guard, self._step = settings, rank, send, guard, step
        self._placed: list[Watched] = []

    def install(self, replica_checksum: Callable[[], bytes]) -> None:
        """`replica_checksum`: of the model and its optimizers as they are now; 32 bytes."""
        saved = self._guard.wrap("checkpoint hash on save", functools.partial(self._saved, replica_checksum))
        loaded = self._guard.wrap("checkpoint hash on load", self._loaded)
        if self._settings.verify_on_save:
            self._place(torch, "save", lambda result, obj, f, *_, **__: saved(obj, f, False))
        if self._settings.verify_on_load:
            self._place(torch, "load", lambda result, f, *_, **__: loaded(result, f, False))
        if not (dist.is_available() and dist.is_initialized()):
            return
        import torch.distributed.checkpoint as sharded

        if self._settings.verify_on_save:
            self._place(
                sharded,
                "save",
                lambda _, state_dict, **more: saved(state_dict, _folder(more, "storage_writer"), True),
            )
        if self._settings.verify_on_load:
            self._place(
                sharded,
                "load",
                lambda _, state_dict, **more: loaded(state_dict, _folder(more, "storage_reader"), True),
            )

    def remove(self) -> None:
        for one in reversed(self._placed):
            one.remove()
        self._placed = []

    def _place(self, owner: Any, name: str, then: Callable[..., None]) -> None:
        self._placed.append(Watched(owner, name, self._guard.wrap("checkpoint hash", then)))

    def _saved(self, replica_checksum: Callable[[], bytes], content: Any, place: Any, sharded: bool) -> None:
        path = _path(place)
        if path is None:
            return
        now = self._digest(content, path, sharded, replica_checksum())
        if not now.tensors:
            return
        write(self._manifest(path, sharded), now)
        self._tell(wire.CheckpointReport.EVENT_SAVED, path, now, None, sharded)

    def _loaded(self, content: Any, place: Any, sharded: bool) -> None:
        path = _path(place)
        if path is None:
            return
        kept = read(self._manifest(path, sharded))
        if kept is not None and _written_anew(path, sharded, kept.identity):
            log.info("%s was written anew without its manifest: not compared", path)
            kept = None
        now = self._digest(content, path, sharded, b"", kept.algorithm if kept is not None else None)
        if now.tensors:
            self._tell(wire.CheckpointReport.EVENT_LOADED, path, now, kept, sharded)

    def _tell(
        self, event: wire.CheckpointReport.Event, path: Path, now: Manifest, kept: Manifest | None, sharded: bool
    ) -> None:
        # What a rank holds of a sharded tensor, and so its name, may be another when it is loaded.
        whole = not sharded and not any(name.endswith("]") for one in (now, kept) if one for name in one.tensors)
        of = subject(now, now.identity, whole) if sharded or (now.identity and _follows_content(path)) else b""
        self._send(record(path, event, now, kept, self._step(), whole, of))

    def _digest(
        self, content: Any, path: Path, sharded: bool, replicas: bytes, algorithm: str | None = None
    ) -> Manifest:
        algorithm = algorithm or self._settings.hash_algorithm
        held = _of_this_rank(dict(tensors(content)), path, self._rank) if sharded else tensors(content)
        parts = [part(name, tensor) for name, tensor in held]
        if parts:
            parts += [Part(METADATA, "file", _metadata(path))] if sharded else values(content)
        return digest_parts(parts, algorithm, identity(path, sharded), replicas, self._step())

    def _manifest(self, path: Path, sharded: bool) -> Path:
        return path / f"rank-{self._rank}{SUFFIX}" if sharded else path.with_name(path.name + SUFFIX)


def tensors(content: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """Every tensor of a state dict, or of what holds some, with its name; of a sharded one what this rank holds of it."""
    if isinstance(content, Tensor):
        if content.device.type != "meta" and content.layout == torch.strided:
            yield name + _shard(content), local(content.detach())
    elif isinstance(content, Mapping):
        for key, value in content.items():
            yield from tensors(value, f"{name}.{key}" if name else str(key))
    elif isinstance(content, list | tuple):
        for at, value in enumerate(content):
            yield from tensors(value, f"{name}.{at}" if name else str(at))
    elif _answers_alone(content):
        yield from tensors(content.state_dict(), name)


def values(content: Any) -> list[Part]:
    """All plain values of it as one part; none where there are more than MAX_VALUES."""
    lines = [f"{name} {value!r}" for name, value in itertools.islice(_values(content, ""), MAX_VALUES + 1)]
    return (
        [Part(VALUES, "values", "\n".join(sorted(lines)).encode(errors="surrogatepass"))]
        if 0 < len(lines) <= MAX_VALUES
        else []
    )


def _values(content: Any, name: str) -> Iterator[tuple[str, Any]]:
    if type(content) in _PLAIN:
        yield name, content
    elif isinstance(content, Mapping):
        for key, value in content.items():
            yield from _values(value, f"{name}.{key}")
    elif isinstance(content, list | tuple):
        for at, value in enumerate(content):
            yield from _values(value, f"{name}.{at}")
    elif _answers_alone(content):
        yield from _values(content.state_dict(), name)


def _answers_alone(content: Any) -> bool:
    """May its state be asked for once more? What is neither a module nor an optimizer, and a module of the first FSDP, may speak with
    other ranks then, which are not there."""
    if isinstance(content, torch.nn.Module):
        return all(type(module).__name__ != "FullyShardedDataParallel" for module in content.modules())
    return isinstance(content, torch.optim.Optimizer)


def part(name: str, tensor: Tensor) -> Part:
    flat = tensor.resolve_conj().resolve_neg().contiguous().cpu().reshape(-1)
    data = flat.view(torch.uint8).numpy() if flat.numel() else b""
    return Part(name, f"{tensor.dtype}{list(tensor.shape)}".removeprefix("torch."), data)


def identity(path: Path, sharded: bool) -> str:
    """What a checkpoint written over this one would not have; bits that a disk changed in a tensor leave it as it is."""
    if sharded:
        ids = _SAVE_ID.findall(_metadata(path))
        return ids[-1].decode() if ids else hashlib.sha256(_metadata(path)).hexdigest()
    try:
        return str(torch._C.PyTorchFileReader(str(path)).serialization_id())
    except RuntimeError:  # a format without one
        return ""


def _of_this_rank(held: Mapping[str, Tensor], path: Path, rank: int) -> list[tuple[str, Tensor]]:
    """Of tensors of one name that every rank saves, torch.distributed.checkpoint writes that of one rank, and they may differ. Beside
    sharded ones they are left out; where there are no others each rank has those that it wrote."""
    shards = [(name, tensor) for name, tensor in held.items() if name.endswith("]")]
    if shards:
        return shards
    from torch.distributed.checkpoint.filesystem import FileSystemReader

    places = FileSystemReader(path).read_metadata().storage_data or {}
    wrote = {index.fqn for index, place in places.items() if place.relative_path.startswith(f"__{rank}_")}
    return [(name, tensor) for name, tensor in held.items() if name in wrote]


def _metadata(path: Path) -> bytes:
    return (path / ".metadata").read_bytes()


def _follows_content(path: Path) -> bool:
    """PyTorch makes the identity of a file from the CRC-32 of its records; without those another content may have it, too."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(entry.CRC for entry in archive.infolist())
    except zipfile.BadZipFile:
        return False


def _written_anew(path: Path, sharded: bool, kept: str) -> bool:
    """Is it another checkpoint than the one of this identity? Not where the identity in the file is damaged."""
    now = identity(path, sharded)
    if sharded or now in ("", kept):
        return now != kept
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            # Checked against their CRC-32, which PyTorch writes for all records or for none.
            archive.read(next(name for name in names if name.endswith("/version")))
            try:
                archive.read(next(name for name in names if name.endswith("/.data/serialization_id")))
            except zipfile.BadZipFile:
                return False
    except (zipfile.BadZipFile, StopIteration):
        pass
    return True


def _shard(tensor: Tensor) -> str:
    if not hasattr(tensor, "device_mesh"):
        return ""
    from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

    shape, offset = compute_local_shape_and_global_offset(tensor.shape, tensor.device_mesh, tensor.placements)  # type: ignore[attr-defined]
    return "[" + ",".join(f"{start}:{start + size}" for start, size in zip(offset, shape, strict=True)) + "]"


def _path(place: Any) -> Path | None:
    return Path(place) if isinstance(place, str | os.PathLike) else None


def _folder(more: Mapping[str, Any], storage: str) -> Any:
    return more.get("checkpoint_id") or getattr(more.get(storage), "path", None)
