"""Lets the largest logit of each token come back from the workers with the logarithms of probabilities.

A sampled request asks for ASKED of them, more than any user may ask for. Where a batch holds such a request the last column of what vLLM
copies to the host anyway carries the largest magnitude of a logit instead: nothing more is copied, and nothing waits for it.
"""

from __future__ import annotations

import functools
from typing import Any

from .. import record

ASKED = record.TOP + 1
_DONE = "_sentinel_watches"


def asked(max_logprobs: int) -> int:
    """How many a sampled request asks for; `max_logprobs` is what users may ask for at most, -1 = any number."""
    return ASKED if 0 <= max_logprobs < ASKED else record.TOP


def watch(sampler: Any) -> None:
    """`sampler`: vLLM's class Sampler. May be called more than once."""
    if hasattr(sampler, _DONE):
        return
    setattr(sampler, _DONE, True)
    forward = sampler.forward

    @functools.wraps(forward)
    def watched(self: Any, logits: Any, sampling_metadata: Any, *args: Any, **kwargs: Any) -> Any:
        # Before anything is done to them in place.
        marked = getattr(sampling_metadata, "max_num_logprobs", None) == ASKED
        peak = logits.abs().amax(dim=-1) if marked else None
        output = forward(self, logits, sampling_metadata, *args, **kwargs)
        found = getattr(getattr(output, "logprobs_tensors", None), "logprobs", None)
        if peak is not None and found is not None and found.shape == (len(peak), ASKED + 1):
            found[:, ASKED] = peak
        return output

    sampler.forward = watched
