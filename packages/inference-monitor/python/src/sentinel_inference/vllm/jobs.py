"""What is done beside the requests, as generators that say what they want of the engine and are given what came of it. No I/O.

Whoever drives one (drivers.py) does each wish between two steps of the engine, or while it rests.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from .. import answers
from .._wire import inference_pb2 as wire
from ..manifest import Shard

# Between two pieces of a checksum: pieces of 2 ms then take at most 1 % of the time of the engine, while a checksum runs.
PIECE_PAUSE_S = 0.2
# Between two looks for something to do.
IDLE_S = 0.1


@dataclass(frozen=True)
class Rpc:
    """One of worker.py's functions in all workers; given: what each returned."""

    method: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Generate:
    """A request of our own; given: its RequestOutput."""

    tokens: list[int]
    params: dict[str, Any]


@dataclass(frozen=True)
class Pause:
    seconds: float


class WorkerFailed(Exception):
    """A worker could not do what it was asked; the message says which one and why."""


Wish = Rpc | Generate | Pause
Job = Generator[Wish, Any, Any]


def checksum(pause_s: float) -> Generator[Wish, Any, list[Shard]]:
    """The weights of all workers."""
    shards: dict[int, Shard] = {}
    again = True
    while True:
        found = yield Rpc("sentinel_weights", (again,))
        again = False
        # A worker that was done before the others begins anew, to no avail and little cost: shards are of like size.
        for worker, one in enumerate(found):
            if "failure" in one:
                raise WorkerFailed(f"worker {worker}: {one['failure']}")
            if "tensors" in one and worker not in shards:
                shards[worker] = Shard({name: (h1, h2) for name, (h1, h2) in one["tensors"].items()}, one["bytes"])
        if len(shards) == len(found):
            return [shards[worker] for worker in range(len(found))]
        yield Pause(pause_s)


def answer(question: wire.Question, encode: Callable[[str], list[int]]) -> Generator[Wish, Any, wire.Answer]:
    """Computes what the analyser asks. `encode`: text to tokens."""
    kind = question.WhichOneof("body")
    if kind == "canary":
        prompt = encode(question.canary.prompt)
        params = {"temperature": 0.0, "max_tokens": question.canary.max_tokens, "logprobs": 0, "ignore_eos": True}
        output = yield Generate(prompt, params)
        one = output.outputs[0]
        chosen = [position[token].logprob for token, position in zip(one.token_ids, one.logprobs, strict=True)]
        return answers.of(question.id, list(one.token_ids), chosen)
    if kind == "replay" and question.replay.prompt:
        before, after = list(question.replay.prompt), list(question.replay.completion)
        # Logarithms of the probabilities of all tokens that are given, in one prefill; the one token more is not looked at.
        output = yield Generate(before + after, {"temperature": 0.0, "max_tokens": 1, "prompt_logprobs": 0})
        positions = list(zip(before + after, output.prompt_logprobs, strict=True))[1:]
        values = [position[token].logprob for token, position in positions]
        return answers.of(question.id, after, values[max(0, len(before) - 1) :])
    return wire.Answer(id=question.id, failure=f"the library does not answer questions of kind {kind}")
