"""Two replicas are comparable where they compute the same, whatever their model is called and wherever it lies."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

import tiny
from sentinel_inference.vllm.attach import hello
from sentinel_inference.vllm.computation import unnamed

CPU = [{"gpu": "", "device": "cpu", "torch": "2.9"}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model")
    shutil.copytree(tiny.model(place), place / "elsewhere")
    return place


def hashed(model: Path, workers: list[dict[str, Any]] = CPU, **options: Any) -> bytes:
    os.environ.update(tiny.ENVIRONMENT)
    from vllm.engine.arg_utils import EngineArgs

    return hello(
        EngineArgs(model=str(model), **{**tiny.OPTIONS, **options}).create_engine_config(), workers
    ).config_hash


def test_names_and_places_are_no_matter(folder: Path) -> None:
    one = hashed(folder / "float32")
    assert len(one) == 32
    assert hashed(folder / "elsewhere") == one
    assert hashed(folder / "elsewhere", served_model_name="another") == one
    assert hashed(folder / "float32", [{**CPU[0], "gpu": "GPU-1"}]) == one


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "bfloat16"},
        {"kv_cache_dtype": "fp8"},
        {"max_model_len": 512},
        {"enforce_eager": False},
        {"hf_overrides": {"rms_norm_eps": 1e-3}},
        {"workers": [{**CPU[0], "device": "NVIDIA H100"}]},
        {"workers": CPU * 2 + [{**CPU[0], "torch": "2.8"}]},
    ],
    ids=str,
)
def test_what_computes_otherwise_is_another(folder: Path, options: dict[str, Any]) -> None:
    assert hashed(folder / "float32", **options) != hashed(folder / "float32")


def test_configurations_inside_of_configurations_have_names_too() -> None:
    inner = {"_name_or_path": "/a", "hidden_size": 8}
    assert unnamed({"text_config": inner, "layers": (inner,)}) == {
        "text_config": {"hidden_size": 8},
        "layers": [{"hidden_size": 8}],
    }
