"""Writes what is made into a library: the Python code of the wire contract as its package `_wire`, and `src` beside this folder, which
both libraries share, as its package `_kit`. Needs grpcio-tools.

    python3 stubs.py sentinel_training|sentinel_inference

protoc names the generated module after the path that it sees, so it sees the file below the package.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
SHARED = Path(__file__).resolve().parents[1] / "src"
PROTO = ROOT / "proto" / "sentinel" / "v1"
# Library -> the folder of its sources, and the file of the contract that it speaks.
LIBRARIES = {
    "sentinel_training": (ROOT / "packages" / "training-monitor" / "python" / "src", "training"),
    "sentinel_inference": (ROOT / "packages" / "inference-monitor" / "python" / "src", "inference"),
}


def fresh(library: str) -> bool:
    """They are there, and of the contract and the shared sources as they are now."""
    sources, contract = LIBRARIES[library]
    written = sources / library / "_wire" / f"{contract}_pb2.py"
    if not written.exists() or written.stat().st_mtime < (PROTO / f"{contract}.proto").stat().st_mtime:
        return False
    copies = sources / library / "_kit"
    return all((copies / file.name).exists() and same(file, copies / file.name) for file in SHARED.glob("*.py"))


def same(file: Path, other: Path) -> bool:
    return file.read_bytes() == other.read_bytes()


def share(library: str) -> None:
    copies = LIBRARIES[library][0] / library / "_kit"
    shutil.rmtree(copies, ignore_errors=True)
    copies.mkdir(parents=True)
    for file in SHARED.glob("*.py"):
        shutil.copyfile(file, copies / file.name)


def write(library: str) -> None:
    from grpc_tools import protoc  # type: ignore[import-untyped]

    share(library)
    sources, contract = LIBRARIES[library]
    package = f"{library}/_wire"
    (sources / package).mkdir(parents=True, exist_ok=True)
    (sources / package / "__init__.py").touch()
    outputs = [f"--python_out={sources}", f"--pyi_out={sources}"]
    if protoc.main(["protoc", f"-I{package}={PROTO}", *outputs, f"{package}/{contract}.proto"]) != 0:
        raise SystemExit(f"stubs.py: protoc could not read {PROTO}/{contract}.proto")


if __name__ == "__main__":
    write(sys.argv[1])
