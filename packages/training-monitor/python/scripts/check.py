"""What `npm test` runs of the Python library, each in its pinned environment.

python3 check.py types|torch|jax|wheel
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

JAX_TESTS = ["tests/test_jax.py", "tests/test_jax_processes.py"]
# What a wheel must hold beside its modules.
IN_WHEEL = [f"sentinel_training/{file}" for file in ("py.typed", "_wire/training_pb2.py", "_kit/sender.py")]


def main(what: str) -> None:
    python("stubs", str(KIT / "scripts" / "stubs.py"), "sentinel_training")
    {"types": types, "torch": torch, "jax": jax, "wheel": wheel}[what]()


def types() -> None:
    python("torch", "-m", "ruff", "check", "--no-cache", ".", str(KIT))
    python("torch", "-m", "ruff", "format", "--no-cache", "--check", ".", str(KIT))
    python("torch", "-m", "mypy", "src", "bench", "--exclude", "jax")
    python("jax", "-m", "mypy", "src/sentinel_training/jax")


def torch() -> None:
    python("torch", "-m", "pytest", *(f"--ignore={one}" for one in JAX_TESTS))


def jax() -> None:
    python("jax", "-m", "pytest", *JAX_TESTS)


def wheel() -> None:
    """Builds it, and imports it from there where none of the frameworks is."""
    with tempfile.TemporaryDirectory() as folder:
        python("stubs", "-m", "build", "--wheel", "--no-isolation", "--outdir", folder)
        (built,) = Path(folder).glob("sentinel_training-*.whl")
        names = subprocess.check_output([sys.executable, "-m", "zipfile", "-l", str(built)], text=True)
        missing = [name for name in IN_WHEEL if name not in names]
        if missing:
            raise SystemExit(f"check.py: {built.name} lacks {', '.join(missing)}")
        python(
            "stubs",
            "-c",
            f"import sys; sys.path.insert(0, {str(built)!r}); import sentinel_training.sender; assert 'grpc' not in sys.modules",
        )
        python(
            "stubs",
            "-c",
            f"import sys; sys.path.insert(0, {str(built)!r}); import sentinel_training.__main__ as m; print(m.TESTED)",
        )


def python(name: str, *arguments: str) -> None:
    done = subprocess.run([str(environment(name)), *arguments], cwd=PYTHON)
    if done.returncode != 0:
        raise SystemExit(f"check.py: failed in environment {name}: {' '.join(arguments)}")


if __name__ == "__main__":
    main(sys.argv[1])
