"""A real Triton with its Python backend, and pytriton: clients get what they get without the monitor."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as grpc_client
import tritonclient.http as http_client

from analyser import Analyser
from conftest import Configure
from ports import free_port
from sentinel_inference._wire import inference_pb2 as wire

PYTHON = Path(__file__).resolve().parents[1]
SERVER = PYTHON.parents[1] / "monitor-kit" / "python" / "scripts" / "triton_server.py"
MODELS = PYTHON / "tests" / "servers" / "triton"
# On a busy machine minutes, as of the servers that other tests start.
START_S = 300
# What a user adds to a model.
LINES = """

class Watched(TritonPythonModel):
    def initialize(self, arguments):
        super().initialize(arguments)
        # As if it were installed: the interpreter of models does not look at PYTHONPATH.
        import sys

        sys.path.insert(0, {sources!r})
        from sentinel_inference import InferenceMonitor

        self.monitor = InferenceMonitor.from_config({config!r})
        self.monitor.attach_triton(self)


TritonPythonModel = Watched
"""


class Triton:
    def __init__(self, models: Path, log: Path) -> None:
        self.http, self.grpc = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        ports = [
            f"--{name}-{key}={value}"
            for name, place in (("http", self.http), ("grpc", self.grpc))
            for key, value in zip(("address", "port"), place.split(":"), strict=True)
        ]
        command = [sys.executable, str(SERVER), sys.executable, f"--model-repository={models}", *ports]
        with log.open("w") as output:
            quiet = ["--allow-metrics=false", "--disable-auto-complete-config"]
            self.process = subprocess.Popen(
                [*command, *quiet],
                stdout=output,
                stderr=output,
                env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
                start_new_session=True,
            )
        end = time.monotonic() + START_S
        client = http_client.InferenceServerClient(self.http)
        while True:
            assert self.process.poll() is None and time.monotonic() < end, log.read_text()[-4000:]
            try:
                if client.is_server_ready():
                    return
            except OSError:
                pass
            time.sleep(0.1)

    def stop(self) -> None:
        # With the processes of its models, of which one that streams does not notice that its server is gone.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def triton(tmp_path: Path, configure: Configure) -> Iterator[tuple[Triton, Triton]]:
    """One without the monitor, and one with it."""
    watched = tmp_path / "watched"
    shutil.copytree(MODELS, watched)
    for path in watched.glob("*/1/model.py"):
        path.write_text(path.read_text() + LINES.format(config=configure(), sources=str(PYTHON / "src")))
    servers = [Triton(MODELS, tmp_path / "plain.log"), Triton(watched, tmp_path / "watched.log")]
    yield servers[0], servers[1]
    for server in servers:
        server.stop()


def batched(server: Triton, model: str = "tokens") -> list[np.ndarray]:
    """Over HTTP, binary and JSON, and over gRPC."""
    tokens = np.arange(12, dtype=np.int64).reshape(2, 6)
    found = []
    for module, place in ((http_client, server.http), (grpc_client, server.grpc)):
        client = module.InferenceServerClient(place)
        given = module.InferInput("tokens", list(tokens.shape), "INT64")
        given.set_data_from_numpy(tokens)
        found.append(client.infer(model, [given]).as_numpy("logits"))
    return found


def streamed(server: Triton, token: int) -> list[Any]:
    """Tokens one by one, then nothing or an error."""
    client = grpc_client.InferenceServerClient(server.grpc)
    found: list[Any] = []
    client.start_stream(lambda result, error: found.append(str(error) if error else int(result.as_numpy("token")[0])))
    inputs = []
    for name, value in (("tokens", token), ("max_tokens", 5)):
        inputs.append(grpc_client.InferInput(name, [1], "INT64"))
        inputs[-1].set_data_from_numpy(np.array([value], np.int64))
    client.async_stream_infer("stream", inputs)
    client.stop_stream()
    return found


def test_clients_get_the_same_and_outputs_are_recorded(triton: tuple[Triton, Triton], analyser: Analyser) -> None:
    plain, watched = triton
    for model in ("tokens", "later"):
        for one, other in zip(batched(plain, model), batched(watched, model), strict=True):
            assert one.tobytes() == other.tobytes()
    right = streamed(plain, 3)
    assert len(right) == 5
    assert streamed(watched, 3) == right
    assert streamed(watched, -3) == streamed(plain, -3) == ["a token is negative"]
    analyser.wait(lambda: len(analyser.of("sample")) == 9)
    hellos = {one.model: one for one in analyser.of("hello")}
    assert {one.framework for one in hellos.values()} == {"triton python backend"}
    assert set(hellos) == {"tokens", "later", "stream"}
    samples = [one for one in analyser.of("sample") if one.model in ("tokens", "later")]
    assert len(samples) == 4
    logits = batched(plain)[0].astype(np.float64)
    for sample in samples:
        (output,) = sample.outputs
        assert sample.kind == wire.RequestSample.KIND_TENSORS
        assert (output.name, output.datatype, output.elements, output.nonfinite) == ("logits", "FP32", logits.size, 0)
        assert (output.min, output.max) == (logits.min(), logits.max())
        assert output.mean == pytest.approx(logits.mean())
    streams = [one for one in analyser.of("sample") if one.model == "stream"]
    assert [len(one.outputs) for one in streams] == [2] * 5


def test_without_an_analyser(triton: tuple[Triton, Triton]) -> None:
    plain, watched = triton
    assert batched(plain)[0].tobytes() == batched(watched)[0].tobytes()
    assert streamed(plain, 3) == streamed(watched, 3)


def test_pytriton(configure: Configure, analyser: Analyser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real server of pytriton; its models run with the library of this Python, not with Debian's."""
    monkeypatch.setenv("LD_LIBRARY_PATH", sysconfig.get_config_var("LIBDIR"))
    from pytriton.decorators import batch
    from pytriton.model_config import ModelConfig, Tensor
    from pytriton.triton import Triton as PyTriton
    from pytriton.triton import TritonConfig

    from sentinel_inference import InferenceMonitor

    monitor = InferenceMonitor.from_config(configure())

    @batch
    def double(values: np.ndarray) -> dict[str, np.ndarray]:
        return {"doubled": 2 * values}

    async def later(requests: list[Any]) -> list[dict[str, np.ndarray]]:
        return [{"doubled": 2 * request["values"]} for request in requests]

    @batch
    def stream(values: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
        yield {"doubled": 2 * values}
        yield {"doubled": 3 * values}

    config = TritonConfig(
        http_port=free_port(), grpc_port=free_port(), metrics_port=free_port(), http_address="127.0.0.1"
    )
    values = np.array([[1, 2, -3]], np.float32)
    with PyTriton(config=config, workspace=tmp_path / "workspace") as server:
        for function in (double, later, stream):
            server.bind(
                model_name=function.__name__,
                infer_func=monitor.attach_triton(function),
                inputs=[Tensor(name="values", dtype=np.float32, shape=(3,))],
                outputs=[Tensor(name="doubled", dtype=np.float32, shape=(3,))],
                config=ModelConfig(max_batch_size=4, decoupled=function is stream),
            )
        server.run()
        client = http_client.InferenceServerClient(f"127.0.0.1:{config.http_port}")
        given = http_client.InferInput("values", [1, 3], "FP32")
        given.set_data_from_numpy(values)
        end = time.monotonic() + START_S
        while not all(client.is_model_ready(name) for name in ("double", "later", "stream")) and time.monotonic() < end:
            time.sleep(0.1)
        found = [client.infer(name, [given]).as_numpy("doubled") for name in ("double", "later")]
        streaming = grpc_client.InferenceServerClient(f"127.0.0.1:{config.grpc_port}")
        streaming.start_stream(lambda result, error: found.append(error or result.as_numpy("doubled")))
        asked = grpc_client.InferInput("values", [1, 3], "FP32")
        asked.set_data_from_numpy(values)
        streaming.async_stream_infer("stream", [asked])
        streaming.stop_stream()
    monitor.close()
    assert [one.tolist() for one in found] == [(times * values).tolist() for times in (2, 2, 2, 3)]
    samples = analyser.of("sample")
    assert [one.model for one in samples] == ["double", "later", "stream", "stream"]
    (output,) = samples[0].outputs
    assert (output.name, output.elements, output.min, output.max) == ("doubled", 3, -6, 4)
    assert {one.framework for one in analyser.of("hello")} == {"pytriton"}
