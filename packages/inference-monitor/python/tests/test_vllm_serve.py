"""vLLM in processes of its own, found by its plugin alone: `vllm serve`, the manifest, two workers."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import tiny
from analyser import Analyser
from conftest import Configure
from ports import free_port
from sentinel_inference import manifest

START_S = 600


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny.model(tmp_path_factory.mktemp("model"))


def post(port: int, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.load(answer))


def options() -> list[str]:
    return ["--dtype", "float32", "--enforce-eager", "--max-model-len", "1024"]


def test_manifest_then_serve(folder: str, configure: Configure, analyser: Analyser, tmp_path: Path) -> None:
    """The command writes the manifest; a server with it, started without a line of code, says that its weights are as they have to be."""
    (tmp_path / "path").mkdir()
    place = tiny.environment(tmp_path / "path")
    file = tmp_path / "weights.json"
    command = [
        sys.executable,
        "-m",
        "sentinel_inference",
        "manifest",
        "--model",
        folder,
        "--out",
        str(file),
        *options(),
    ]
    done = subprocess.run(command, env=place, capture_output=True, text=True, timeout=START_S)
    assert done.returncode == 0, done.stderr[-3000:]
    (shard,) = manifest.read(file)
    assert f"{len(shard.tensors)} tensors of 1 workers, {shard.size} bytes" in done.stdout

    port = free_port()
    config = configure(weights="{interval_s: 1, manifest_file: weights.json}")
    serve = [
        "-m",
        "vllm.entrypoints.openai.api_server",
        "--model",
        folder,
        "--served-model-name",
        tiny.NAME,
        "--seed",
        "0",
    ]
    listen = ["--host", "127.0.0.1", "--port", str(port)]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, *serve, *listen, *options()],
            env={**place, "SENTINEL_INFERENCE_CONFIG": config},
            stdout=log,
            stderr=log,
        )
    try:
        end = time.monotonic() + START_S
        body = {"model": tiny.NAME, "prompt": "the quick", "max_tokens": 5, "temperature": 0}
        while True:
            assert server.poll() is None and time.monotonic() < end, (tmp_path / "log").read_text()[-4000:]
            try:
                plain = post(port, body)
                break
            except OSError:
                time.sleep(0.2)
        asked = post(port, {**body, "logprobs": 2})
        assert plain["choices"][0]["logprobs"] is None
        assert asked["choices"][0]["text"] == plain["choices"][0]["text"]
        assert max(len(one) for one in asked["choices"][0]["logprobs"]["top_logprobs"]) <= 3
        analyser.wait(lambda: len(analyser.of("sample")) == 2 and len(analyser.of("weights")) > 1)
        # Nobody asks anything, and weights and questions are looked after all the same.
        analyser.say(question={"id": 5, "canary": {"prompt": "the quick", "max_tokens": 5}})
        analyser.wait(lambda: len(analyser.of("answer")) == 1)
    finally:
        server.terminate()
        server.wait(START_S)
    (hello,) = analyser.of("hello")
    assert (hello.framework, hello.model, hello.dtype, hello.answers) == ("vllm 0.32.0", tiny.NAME, "float32", True)
    for report in analyser.of("weights"):
        assert (report.shards[0].digest, report.shards[0].expected) == (shard.digest, shard.digest)
    shown = [value for block in analyser.of("sample")[1].blocks for value in block.logprobs]
    assert shown == pytest.approx(asked["choices"][0]["logprobs"]["token_logprobs"], abs=1e-6)
    assert list(analyser.of("answer")[0].values) == pytest.approx(shown, abs=1e-6)
    assert len(analyser.of("sample")) == 2


TWO = """
import sys
import tiny
from sentinel_inference import InferenceMonitor
from sentinel_inference._kit import sender
if __name__ == "__main__":
    # A busy machine may stand still for seconds.
    sender.END_WAIT_S = sender.SILENCE_S = 30
    from vllm import LLM, SamplingParams
    llm = LLM(sys.argv[1], **tiny.OPTIONS, tensor_parallel_size=2)
    monitor = InferenceMonitor.from_config(sys.argv[2]).attach_vllm(llm)
    llm.generate(["the quick"], SamplingParams(max_tokens=3), use_tqdm=False)
    monitor.close()
"""


def test_two_workers(folder: str, configure: Configure, analyser: Analyser, tmp_path: Path) -> None:
    """Tensor parallelism over two processes: each has a shard and a device."""
    (tmp_path / "path").mkdir()
    config = configure(weights="{interval_s: 600}")
    done = subprocess.run(
        [sys.executable, "-c", TWO, folder, config],
        env=tiny.environment(tmp_path / "path"),
        capture_output=True,
        text=True,
        timeout=START_S,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert list(analyser.of("hello")[0].gpus) == ["", ""]
    one, other = analyser.of("weights")[0].shards
    assert (one.worker, other.worker) == (0, 1)
    assert one.digest != other.digest
    assert len(analyser.of("sample")[0].blocks[0].logprobs) == 3
