"""The compact record of one sampled request: blocks of at most 64 tokens, at most 300 bytes each on the wire. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ._wire import inference_pb2 as wire

BLOCK_TOKENS = 64
# A record says no more of one request than this; what is longer is cut at its end, and `completion_tokens` says how long it was.
MAX_BLOCKS = 256
# Most likely tokens that an engine is asked for. The rest counts as one more outcome.
TOP = 20
# Probabilities of floating point may sum up to this much more than 1.
ROUNDING = 1e-4

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tokens:
    """What was measured of the tokens of an answer, one value each. None = not measured."""

    # Natural logarithm of the probability of the token that was chosen.
    chosen: Floats
    # Entropy of the next token, nats.
    entropy: Floats | None = None
    # Logarithm of the probability of the most likely token.
    top: Floats | None = None
    # Largest magnitude of a logit.
    max_logit: Floats | None = None
    # |sum of the probabilities - 1|; of the most likely ones alone: how far they sum up to more than 1.
    excess: Floats | None = None
    # Values that no probability has.
    impossible: npt.NDArray[np.int64] | None = None


def from_top(chosen: npt.ArrayLike, top: npt.ArrayLike) -> Tokens:
    """`chosen`: (tokens,) logarithms of probabilities. `top`: (tokens, k) those of the k most likely tokens, the most likely first."""
    picked = np.asarray(chosen, np.float64)
    likely = np.asarray(top, np.float64).reshape(len(picked), -1) if len(picked) > 0 else np.zeros((0, 1))
    bad = ~np.isfinite(likely) & ~np.isneginf(likely) | (likely > ROUNDING)
    wrong = (~np.isfinite(picked) | (picked > ROUNDING)).astype(np.int64) + bad.sum(axis=1)
    with np.errstate(all="ignore"):
        probabilities = np.where(bad, np.nan, np.exp(likely))
        mass = probabilities.sum(axis=1)
        terms = np.where(probabilities > 0, probabilities * likely, np.where(np.isnan(probabilities), np.nan, 0))
        rest = np.clip(1 - mass, 0, 1)
        entropy = -terms.sum(axis=1) - np.where(rest > 0, rest * np.log(np.maximum(rest, 1e-300)), 0)
    most = likely[:, 0] if likely.shape[1] else None
    return Tokens(picked, entropy, most, excess=np.maximum(mass - 1, 0), impossible=wrong)


def from_logits(logits: npt.ArrayLike, tokens: npt.ArrayLike | None = None) -> Tokens:
    """`logits`: (tokens, vocabulary), in the type that they have. `tokens`: (tokens,) the chosen ones; None = the most likely ones.

    Rows of tokens that are none, as -100 for padding, are left out.
    """
    values, picked = _rows(logits, tokens)
    # A logit of minus infinity is a token that may not be chosen.
    bad = np.isnan(values) | np.isposinf(values)
    with np.errstate(all="ignore"):
        peak = values.max(axis=1, keepdims=True)
        shifted = values - peak
        logprobs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        probabilities = np.exp(logprobs)
        entropy = -np.where(probabilities > 0, probabilities * logprobs, 0).sum(axis=1)
        finite = np.where(np.isfinite(values), np.abs(values), 0)
    chosen = logprobs[np.arange(len(values)), picked]
    broken = bad.any(axis=1)
    return Tokens(
        chosen,
        np.where(broken, np.nan, entropy),
        logprobs.max(axis=1),
        finite.max(axis=1),
        np.abs(probabilities.sum(axis=1) - 1),
        bad.sum(axis=1).astype(np.int64),
    )


def from_logprobs(logprobs: npt.ArrayLike, tokens: npt.ArrayLike | None = None) -> Tokens:
    """`logprobs`: (tokens, vocabulary) logarithms of probabilities, as they are: what they sum up to is looked at. `tokens` as above."""
    values, picked = _rows(logprobs, tokens)
    bad = np.isnan(values) | (values > ROUNDING)
    with np.errstate(all="ignore"):
        probabilities = np.exp(values)
        entropy = -np.where(probabilities > 0, probabilities * values, 0).sum(axis=1)
        excess = np.abs(probabilities.sum(axis=1) - 1)
    entropy[bad.any(axis=1)] = np.nan
    chosen = values[np.arange(len(values)), picked]
    return Tokens(chosen, entropy, values.max(axis=1), excess=excess, impossible=bad.sum(axis=1).astype(np.int64))


def _rows(values: npt.ArrayLike, tokens: npt.ArrayLike | None) -> tuple[Floats, npt.NDArray[np.int64]]:
    """One row for each token, and the one of each that was chosen.

    Raises:
        ValueError: there are more tokens than rows, or fewer.
    """
    rows = np.asarray(values, np.float64)
    if rows.size == 0:
        return np.zeros((0, 1)), np.zeros(0, np.int64)
    rows = rows.reshape(-1, rows.shape[-1])
    if tokens is None:
        return rows, rows.argmax(axis=1)
    picked = np.asarray(tokens, np.int64).reshape(-1)
    if len(picked) != len(rows):
        raise ValueError(f"{len(picked)} tokens for {len(rows)} rows of logits")
    known = (picked >= 0) & (picked < rows.shape[1])
    return rows[known], picked[known]


def blocks(tokens: Tokens) -> list[wire.TokenBlock]:
    """In order; means over the finite values of a block, the largest logit and excess."""
    starts = range(0, min(len(tokens.chosen), MAX_BLOCKS * BLOCK_TOKENS), BLOCK_TOKENS)
    return [_block(tokens, slice(start, start + BLOCK_TOKENS)) for start in starts]


def _block(tokens: Tokens, part: slice) -> wire.TokenBlock:
    block = wire.TokenBlock(logprobs=tokens.chosen[part].astype(np.float32))
    for field, values, over in (
        ("entropy", tokens.entropy, np.mean),
        ("top_logprob", tokens.top, np.mean),
        ("max_logit", tokens.max_logit, np.max),
        ("excess", tokens.excess, np.max),
    ):
        if values is not None:
            finite = values[part][np.isfinite(values[part])]
            if len(finite) > 0:
                setattr(block, field, float(over(finite)))
    if tokens.impossible is not None:
        block.impossible = int(tokens.impossible[part].sum())
    return block
