"""Pinned virtual environments of the tests, each made once below .sentinel/python of the clone.

    python3 environment.py torch|jax|vllm|triton|mlserver|clients|stubs [LIBRARY]

Makes it where it is missing, and the code of the wire contract that LIBRARY (sentinel_training, sentinel_inference) needs to be
imported from its sources; prints its interpreter. Needs Python 3 with venv, a C compiler and binutils, and PyPI the first time.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import cuda_stand_ins
import stubs
import triton_server

PINS = Path(__file__).resolve().parent / "environments"
FOLDER = Path(__file__).resolve().parents[4] / ".sentinel" / "python"
MADE = "made"
# A process has to ask the kernel for the tile registers of bfloat16 products (arch_prctl, ARCH_REQ_XCOMP_PERM, XTILEDATA): without that
# vLLM dies of SIGILL. Where a processor has none the call fails, and nothing needs it.
TILE_REGISTERS = "import ctypes; ctypes.CDLL(None).syscall(158, 0x1023, 18)\n"


def environment(name: str) -> Path:
    """The interpreter of the environment `name`; a folder per set of pins, complete where it holds the file "made"."""
    pins = PINS / f"{name}.txt"
    digest = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = FOLDER / f"{name}-{digest}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / MADE).exists():
            make(name, pins, folder)
            (folder / MADE).touch()
    return folder / "bin" / "python"


def make(name: str, pins: Path, folder: Path) -> None:
    run(sys.executable, "-m", "venv", "--clear", str(folder))
    python = folder / "bin" / "python"
    if name == "uv":
        run(str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(pins))
        return
    uv = environment("uv").parent / "uv"
    options = ["--quiet", "--no-deps", "--require-hashes", "--compile-bytecode", "--link-mode", "copy"]
    run(str(uv), "pip", "install", "--python", str(python), *options, "-r", str(pins))
    finish(name, python)


def finish(name: str, python: Path) -> None:
    """What packages alone do not give."""
    if name in ("torch", "vllm"):
        cuda_stand_ins.build(packages(python) / "torch" / "lib")
        run(str(python), "-W", "error", "-c", "import torch, torch.distributed as d; assert d.is_gloo_available()")
    if name == "vllm":
        (packages(python) / "tile_registers.pth").write_text(TILE_REGISTERS)
    if name == "triton":
        triton_server.build(packages(python))


def packages(python: Path) -> Path:
    command = [str(python), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"]
    return Path(subprocess.check_output(command, text=True).strip())


def run(*command: str) -> None:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    subprocess.run(command, check=True, stdout=sys.stderr, env=clean)


def prepared(name: str, library: str | None = None) -> Path:
    python = environment(name)
    if library is not None and not stubs.fresh(library):
        run(str(environment("stubs")), str(Path(stubs.__file__)), library)
    return python


if __name__ == "__main__":
    print(prepared(*sys.argv[1:3]))
