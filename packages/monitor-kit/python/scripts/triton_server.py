"""The Triton server that comes with pytriton, with its Python backend, made ready to be started by itself.

python3 triton_server.py PYTHON ARGUMENTS...     becomes the server: PYTHON is the interpreter of the environment "triton"
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# What models run in links against this; the Python of the environment has it, or Debian.
LIBRARY = "libpython3.11.so.1.0"


def build(packages: Path) -> None:
    """Puts the backend and what runs models together in the folder `sentinel_backends` of the environment's packages."""
    server = packages / "pytriton" / "tritonserver"
    backends = packages / "sentinel_backends"
    shutil.copytree(server / "backends" / "python", backends / "python", dirs_exist_ok=True)
    stub = server / "python_backend_stubs" / "3.11" / "triton_python_backend_stub"
    shutil.copy(stub, backends / "python")
    for program in [*(backends / "python").iterdir(), server / "bin" / "tritonserver"]:
        program.chmod(0o755)


def serve(python: Path, arguments: list[str]) -> None:
    where = "import sysconfig as s; print(s.get_paths()['purelib']); print(s.get_config_var('LIBDIR'))"
    packages, libraries = subprocess.check_output([str(python), "-c", where], text=True).split()
    server = Path(packages, "pytriton", "tritonserver", "bin", "tritonserver")
    os.environ["LD_LIBRARY_PATH"] = f"{packages}/nvidia_pytriton.libs{os.pathsep}{libraries}"
    os.environ["PATH"] = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    check()
    os.execv(server, [str(server), f"--backend-directory={packages}/sentinel_backends", *arguments])


def check() -> None:
    if subprocess.run(
        [sys.executable, "-c", f"import ctypes; ctypes.CDLL({LIBRARY!r})"], capture_output=True
    ).returncode:
        raise SystemExit(f"triton_server.py: there is no {LIBRARY}: install it (Debian: apt-get install libpython3.11)")


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2:])
