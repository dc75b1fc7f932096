"""Writes the Python code of proto/sentinel/v1/training.proto into sentinel_training/_wire. Needs grpcio-tools.

protoc names the generated module after the path that it sees, so it sees the file below sentinel_training/_wire.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = "sentinel_training/_wire"
HERE = Path(__file__).resolve().parent
PROTO = HERE.parents[3] / "proto" / "sentinel" / "v1"
SOURCES = HERE.parent / "src"


def fresh() -> bool:
    """They are there, and of the contract as it is now."""
    written = SOURCES / PACKAGE / "training_pb2.py"
    return written.exists() and written.stat().st_mtime >= (PROTO / "training.proto").stat().st_mtime


def write() -> None:
    from grpc_tools import protoc  # type: ignore[import-untyped]

    folder = SOURCES / PACKAGE
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").touch()
    outputs = [f"--python_out={SOURCES}", f"--pyi_out={SOURCES}"]
    if protoc.main(["protoc", f"-I{PACKAGE}={PROTO}", *outputs, f"{PACKAGE}/training.proto"]) != 0:
        raise SystemExit(f"stubs.py: protoc could not read {PROTO}/training.proto")


if __name__ == "__main__":
    write()
