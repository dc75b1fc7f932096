"""Writes the Python code of the wire contract into a library, as its package `_wire`. Needs grpcio-tools.

    python3 stubs.py sentinel_training|sentinel_inference

protoc names the generated module after the path that it sees, so it sees the file below the package.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
PROTO = ROOT / "proto" / "sentinel" / "v1"
# Library -> the folder of its sources, and the file of the contract that it speaks.
LIBRARIES = {
    "sentinel_training": (ROOT / "packages" / "training-monitor" / "python" / "src", "training"),
    "sentinel_inference": (ROOT / "packages" / "inference-monitor" / "python" / "src", "inference"),
}


def fresh(library: str) -> bool:
    """They are there, and of the contract as it is now."""
    sources, contract = LIBRARIES[library]
    written = sources / library / "_wire" / f"{contract}_pb2.py"
    return written.exists() and written.stat().st_mtime >= (PROTO / f"{contract}.proto").stat().st_mtime


def write(library: str) -> None:
    from grpc_tools import protoc  # type: ignore[import-untyped]

    sources, contract = LIBRARIES[library]
    package = f"{library}/_wire"
    (sources / package).mkdir(parents=True, exist_ok=True)
    (sources / package / "__init__.py").touch()
    outputs = [f"--python_out={sources}", f"--pyi_out={sources}"]
    if protoc.main(["protoc", f"-I{package}={PROTO}", *outputs, f"{package}/{contract}.proto"]) != 0:
        raise SystemExit(f"stubs.py: protoc could not read {PROTO}/{contract}.proto")


if __name__ == "__main__":
    write(sys.argv[1])
