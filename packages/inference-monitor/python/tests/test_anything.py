from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import sentinel_inference
from analyser import Analyser
from conftest import Configure
from sentinel_inference import InferenceMonitor
from sentinel_inference._wire import inference_pb2 as wire

LOGITS = np.random.default_rng(1).normal(0, 2, (5, 30))


@pytest.mark.parametrize(
    "result",
    [
        LOGITS,
        torch.tensor(LOGITS, dtype=torch.float64),
        {"logits": LOGITS},
        SimpleNamespace(logits=LOGITS, tokens=LOGITS.argmax(1)),
        {"logprobs": torch.tensor(LOGITS).log_softmax(-1)},
    ],
    ids=["array", "torch", "mapping", "object", "logprobs"],
)
def test_whatever_has_logits(configure: Configure, analyser: Analyser, result: Any) -> None:
    monitor = InferenceMonitor.from_config(configure())
    assert monitor.wrap(lambda: result, model="m")() is result
    monitor.close()
    (sample,) = analyser.of("sample")
    assert (sample.kind, sample.model, sample.completion_tokens) == (wire.RequestSample.KIND_COMPLETION, "m", 5)
    expected = torch.tensor(LOGITS).log_softmax(-1).max(-1).values
    assert list(sample.blocks[0].logprobs) == pytest.approx(expected.tolist(), abs=1e-6)


def test_asynchronous_and_read(configure: Configure, analyser: Analyser) -> None:
    monitor = InferenceMonitor.from_config(configure())

    @monitor.wrap
    async def answer(text: str) -> dict[str, Any]:
        return {"text": text, "score": torch.tensor([1.0, float("nan")], dtype=torch.bfloat16)}

    read = monitor.wrap(lambda: (LOGITS, "x"), read=lambda pair: {"logprobs": [-1.0, -2.0], "tokens": [1, 2]})
    assert asyncio.run(answer("a"))["text"] == "a"
    read()
    monitor.close()
    tensors, tokens = analyser.of("sample")
    assert (tensors.kind, tensors.model) == (wire.RequestSample.KIND_TENSORS, "answer")
    assert [(one.name, one.datatype, one.nonfinite) for one in tensors.outputs] == [
        ("text", "BYTES", 0),
        ("score", "BF16", 1),
    ]
    assert list(tokens.blocks[0].logprobs) == [-1, -2]
    assert not tokens.blocks[0].HasField("entropy")


def test_what_cannot_be_read_costs_nobody_anything(
    configure: Configure, analyser: Analyser, caplog: pytest.LogCaptureFixture
) -> None:
    monitor = InferenceMonitor.from_config(configure())
    call = monitor.wrap(lambda: "text")
    assert [call() for _ in range(200)] == ["text"] * 200
    monitor.close()
    assert (analyser.of("sample"), monitor.unread) == ([], 100)
    assert analyser.requests[-1].unread == 100
    *counted, off = caplog.messages
    assert [one.split(":")[0] for one in counted] == [
        f"a sampled result could not be read, {count} until now" for count in (1, 10, 100)
    ]
    assert off.startswith("the inference monitor is off") and "a result of type str cannot be read: give `read`" in off


@pytest.mark.parametrize(
    ("odd", "unread"),
    [
        (None, 1),
        (0.5, 1),
        ({"logits": LOGITS, "tokens": [1, 2]}, 1),
        (np.zeros((0,)), 0),
        (np.zeros((5, 0)), 0),
        ({"logprobs": []}, 0),
        ({"logprobs": [], "tokens": []}, 0),
        (np.float32(1), 0),
        (torch.tensor(1.0), 0),
        ({"logits": LOGITS, "tokens": [-100, 30, 1, 2, 3]}, 0),
    ],
    ids=["none", "number", "tokens", "empty", "no vocabulary", "nothing", "no tokens", "scalar", "tensor", "padding"],
)
def test_one_odd_result_ends_nothing(configure: Configure, analyser: Analyser, odd: Any, unread: int) -> None:
    monitor = InferenceMonitor.from_config(configure())
    results = iter([odd, LOGITS])
    call = monitor.wrap(lambda: next(results), model="m")
    assert call() is odd
    assert call() is LOGITS
    monitor.close()
    *first, last = analyser.of("sample")
    assert (len(first), monitor.unread, last.completion_tokens) == (1 - unread, unread, 5)
    assert all(block.impossible == 0 and len(block.logprobs) == 3 for one in first for block in one.blocks)


def test_what_the_callable_raises_is_raised(configure: Configure) -> None:
    monitor = InferenceMonitor.from_config(configure())
    with pytest.raises(ZeroDivisionError):
        monitor.wrap(lambda: 1 / 0)()
    monitor.close()


FORKED = """
import os, sys
from sentinel_inference import InferenceMonitor
monitor = InferenceMonitor.from_config(sys.argv[1])
call = monitor.wrap(lambda: {"logprobs": [-1.0]})
child = os.fork()
if child == 0:
    for _ in range(3):
        assert call() == {"logprobs": [-1.0]}
    os._exit(monitor.dropped)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_child_says_that_it_is_not_looked_at(configure: Configure) -> None:
    command = [sys.executable, "-c", FORKED, str(configure())]
    place = {**os.environ, "PYTHONPATH": str(Path(sentinel_inference.__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=place)
    assert done.stdout == "3\n", done.stderr
    assert done.stderr.count("make the monitor in each worker") == 1
