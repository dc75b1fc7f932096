"""Sees every request that passes through an engine's front process, and what comes back for the sampled ones.

A sampled request asks the engine for logarithms of probabilities after the front process has noted what the user asked for; what comes
back beyond that is taken out before the front process looks at it. So users get what they would get, and nothing is computed twice.
"""

from __future__ import annotations

import copy
import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import record
from .._wire import inference_pb2 as wire
from .sampler import ASKED

# Sampled requests at once; more are not sampled.
MAX_OPEN = 1024
# Tokens of an answer that are looked at.
MAX_TOKENS = record.MAX_BLOCKS * record.BLOCK_TOKENS
# Requests of our own; not sampled.
OWN = "sentinel-"


@dataclass
class Open:
    """A sampled request that is being answered."""

    began: float
    prompt: list[int]
    # How many the user asked for; None = none.
    asked: int | None
    first: float | None = None
    tokens: list[int] = field(default_factory=list)
    chosen: list[float] = field(default_factory=list)
    top: list[list[float]] = field(default_factory=list)
    # Largest magnitude of a logit; NaN = not known.
    peaks: list[float] = field(default_factory=list)
    nans: int = 0


class Watch:
    """Hangs itself into `engine.output_processor` (vLLM V1); `remove` takes it out again."""

    def __init__(
        self,
        engine: Any,
        take: Callable[[], bool],
        ended: Callable[[Open], None],
        run: Callable[[Callable[[], None]], None],
        asks: int,
    ) -> None:
        """`take`: is this request sampled? `ended`: one was answered. `run` calls a function and keeps to itself what it raises.
        `asks`: for how many logarithms of probabilities a sampled request asks."""
        self._processor = engine.output_processor
        self._take, self._ended, self._run, self._asks = take, ended, run, asks
        self._open: dict[str, Open] = {}
        self._originals = {name: getattr(self._processor, name) for name in ("add_request", "process_outputs")}
        self._processor.add_request = self._add
        self._processor.process_outputs = self._process

    def remove(self) -> None:
        for name in self._originals:
            vars(self._processor).pop(name, None)

    def _add(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        result = self._originals["add_request"](request, *args, **kwargs)
        self._run(lambda: self._sample(request))
        return result

    def _sample(self, request: Any) -> None:
        params = request.sampling_params
        outer = getattr(request, "external_req_id", None) or request.request_id
        if params is None or str(outer).startswith(OWN) or getattr(request, "resumable", False) or not self._take():
            return
        if len(self._open) >= MAX_OPEN:
            self._forget()
        if len(self._open) >= MAX_OPEN or getattr(params, "logprob_token_ids", None):
            return
        asked = params.logprobs
        if asked is None or 0 <= asked < self._asks:
            # Siblings of one request may share their parameters.
            params = copy.copy(params)
            params.logprobs = self._asks
            request.sampling_params = params
        self._open[request.request_id] = Open(time.perf_counter(), list(request.prompt_token_ids or []), asked)

    def _process(self, outputs: list[Any], *args: Any, **kwargs: Any) -> Any:
        if not self._open:
            return self._originals["process_outputs"](outputs, *args, **kwargs)
        mine = [output.request_id for output in outputs if output.request_id in self._open]
        for output in outputs:
            one = self._open.get(output.request_id)
            if one is not None:
                self._run(lambda output=output, one=one: self._take_in(output, one))  # type: ignore[misc]
                if one.asked is None:
                    output.new_logprobs = None
        result = self._originals["process_outputs"](outputs, *args, **kwargs)
        for request_id in mine:
            if request_id not in self._processor.request_states:
                one = self._open.pop(request_id)
                self._run(lambda one=one: self._ended(one))  # type: ignore[misc]
        return result

    def _take_in(self, output: Any, one: Open) -> None:
        if one.first is None and output.new_token_ids:
            one.first = time.perf_counter()
        one.nans += getattr(output, "num_nans_in_logits", 0)
        one.tokens.extend(output.new_token_ids)
        found = output.new_logprobs
        if found is None or len(one.chosen) >= MAX_TOKENS:
            return
        rows = found.logprobs
        one.chosen.extend(float(value) for value in rows[:, 0])
        # The chosen one comes first, then the most likely ones in order.
        one.top.extend(rows[:, 1 : 1 + record.TOP].tolist())
        # Where vLLM samples in another way than it is watched the column holds what it is for: the logarithm of a probability.
        peaks = rows[:, ASKED].tolist() if rows.shape[1] == ASKED + 1 else [math.nan] * len(rows)
        one.peaks.extend(peak if peak >= 0 else math.nan for peak in peaks)

    def _forget(self) -> None:
        """Requests that were aborted."""
        for request_id in [one for one in self._open if one not in self._processor.request_states]:
            del self._open[request_id]


def sample(one: Open, now: float, time_us: int, model: str, replay: bool) -> wire.RequestSample:
    """The record of a request that was answered at `now`, of the clock that `one` has."""
    width = min((len(row) for row in one.top), default=0)
    tokens = record.from_top(one.chosen, [row[:width] for row in one.top]) if width else _chosen_alone(one)
    found = record.blocks(dataclasses.replace(tokens, max_logit=np.asarray(one.peaks)))
    if found and one.nans:
        found[0].impossible += one.nans
    return wire.RequestSample(
        time_us=time_us,
        kind=wire.RequestSample.KIND_COMPLETION,
        model=model,
        prompt_tokens=len(one.prompt),
        completion_tokens=len(one.tokens),
        first_byte_us=round(1e6 * ((one.first or now) - one.began)),
        total_us=round(1e6 * (now - one.began)),
        blocks=found,
        replay=wire.Replay(prompt=one.prompt, completion=one.tokens) if replay else None,
    )


def _chosen_alone(one: Open) -> record.Tokens:
    full = record.from_top(one.chosen, [[value] for value in one.chosen])
    return record.Tokens(full.chosen, impossible=full.impossible)
