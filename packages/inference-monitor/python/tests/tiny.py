"""The tiny model in vLLM, in this process or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import tomllib

PYTHON = Path(__file__).resolve().parents[1]
SCRIPT = PYTHON / "scripts" / "tiny_model.py"
NAME = "tiny"
# One thread: more than the cores there are spin. Nothing is fetched, nobody is told. The workers are forked, which saves their imports.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_HOST_IP": "127.0.0.1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_WORKER_MULTIPROC_METHOD": "fork",
}
OPTIONS: dict[str, Any] = {
    "dtype": "float32",
    "enforce_eager": True,
    "max_model_len": 1024,
    "max_num_seqs": 32,
    "seed": 0,
    "served_model_name": NAME,
}


def model(folder: Path, dtype: str = "float32") -> str:
    place = folder / dtype
    subprocess.run([sys.executable, str(SCRIPT), str(place), dtype], check=True, capture_output=True)
    return str(place)


def installed(folder: Path) -> str:
    """A folder that makes the sources look like an installed distribution: with the entry points by which vLLM finds the plugin."""
    project = tomllib.loads((PYTHON / "pyproject.toml").read_text())["project"]
    place = folder / f"sentinel_inference-{project['version']}.dist-info"
    place.mkdir()
    (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    ]
    (place / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return str(folder)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Of a process that uses the library as if it were installed; `folder` must be empty."""
    path = os.pathsep.join([installed(folder), str(PYTHON / "src"), str(PYTHON / "tests")])
    return {**os.environ, **ENVIRONMENT, "PYTHONPATH": path, **more}
