"""What `npm test` runs of the Python library, each in its pinned environment.

python3 check.py types|plain|vllm|serve|triton|wheel
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

PYTHON = Path(__file__).resolve().parents[1]
KIT = PYTHON.parents[1] / "monitor-kit" / "python"
sys.path.insert(0, str(KIT / "scripts"))
from environment import environment  # type: ignore[import-not-found]  # noqa: E402

# What a wheel must hold beside its modules.
IN_WHEEL = [f"sentinel_inference/{file}" for file in ("py.typed", "_wire/inference_pb2.py", "_kit/sender.py")]


def main(what: str) -> None:
    python("stubs", str(KIT / "scripts" / "stubs.py"), "sentinel_inference")
    {"types": types, "plain": plain, "vllm": vllm, "serve": serve, "triton": triton, "wheel": wheel}[what]()


def types() -> None:
    python("torch", "-m", "ruff", "check", "--no-cache", ".")
    python("torch", "-m", "ruff", "format", "--no-cache", "--check", ".")
    python("torch", "-m", "mypy", "src")


def plain() -> None:
    """Where no inference server is."""
    tests = [
        path for path in (PYTHON / "tests").glob("test_*.py") if not path.name.startswith(("test_vllm", "test_triton"))
    ]
    python("torch", "-m", "pytest", *sorted(str(path) for path in tests))


def vllm() -> None:
    python("vllm", "-m", "pytest", "tests/test_vllm.py", "tests/test_vllm_computation.py", "tests/test_vllm_faults.py")


def serve() -> None:
    python("vllm", "-m", "pytest", "tests/test_vllm_serve.py")


def triton() -> None:
    python("triton", "-m", "pytest", "tests/test_triton.py")


def wheel() -> None:
    """Builds it, and imports it from there where no inference server is."""
    with tempfile.TemporaryDirectory() as folder:
        python("stubs", "-m", "build", "--wheel", "--no-isolation", "--outdir", folder)
        (built,) = Path(folder).glob("sentinel_inference-*.whl")
        names = subprocess.check_output([sys.executable, "-m", "zipfile", "-l", str(built)], text=True)
        missing = [name for name in IN_WHEEL if name not in names]
        if missing:
            raise SystemExit(f"check.py: {built.name} lacks {', '.join(missing)}")
        run = f"import sys; sys.path.insert(0, {str(built)!r}); import sentinel_inference.__main__ as m; m.main(['--version'])"
        python("stubs", "-c", run)
        run = f"import sys; sys.path.insert(0, {str(built)!r}); import sentinel_inference.channel; assert 'grpc' not in sys.modules"
        python("stubs", "-c", run)


def python(name: str, *arguments: str) -> None:
    done = subprocess.run([str(environment(name)), *arguments], cwd=PYTHON)
    if done.returncode != 0:
        raise SystemExit(f"check.py: failed in environment {name}: {' '.join(arguments)}")


if __name__ == "__main__":
    main(sys.argv[1])
