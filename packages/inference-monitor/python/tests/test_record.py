from __future__ import annotations

import numpy as np
import pytest

from sentinel_inference import record
from sentinel_inference.limits import clipped
from sentinel_inference.tensors import statistics


def softmax(tokens: int, vocabulary: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    logits = np.random.default_rng(seed).normal(0, 3, (tokens, vocabulary))
    return logits, logits - np.log(np.exp(logits).sum(1, keepdims=True))


def test_logits_and_the_most_likely_say_the_same() -> None:
    logits, logprobs = softmax(40, 20)
    chosen = logprobs.argmax(1)
    whole = record.from_logits(logits)
    top = record.from_top(logprobs.max(1), -np.sort(-logprobs, 1))
    assert whole.chosen == pytest.approx(top.chosen)
    assert whole.entropy == pytest.approx(top.entropy, abs=1e-6)
    assert whole.entropy == pytest.approx(-(np.exp(logprobs) * logprobs).sum(1))
    assert whole.max_logit == pytest.approx(np.abs(logits).max(1))
    assert record.from_logits(logits, chosen).chosen == pytest.approx(whole.chosen)


def test_logarithms_of_probabilities_are_taken_as_they_are() -> None:
    logits, logprobs = softmax(40, 20)
    whole, sound = record.from_logits(logits), record.from_logprobs(logprobs)
    assert sound.chosen == pytest.approx(whole.chosen)
    assert sound.entropy == pytest.approx(whole.entropy)
    assert sound.excess == pytest.approx(0, abs=1e-9)
    assert sound.impossible is not None and sound.impossible.sum() == 0
    wrong = logprobs.copy()
    wrong[3] += 0.4
    wrong[5, 2] = 2.0
    found = record.from_logprobs(wrong)
    assert found.excess is not None and found.excess[3] == pytest.approx(np.exp(0.4) - 1)
    assert found.impossible is not None and found.impossible[5] == 1 and found.chosen[5] == 2.0
    assert np.delete(found.excess, [3, 5]) == pytest.approx(0, abs=1e-9)


def test_a_block_of_64_tokens_has_300_bytes_at_most() -> None:
    logits, _ = softmax(200, 50)
    logits[3, 4] = np.nan
    found = record.blocks(record.from_logits(logits))
    assert [len(block.logprobs) for block in found] == [64, 64, 64, 8]
    assert max(block.ByteSize() for block in found) <= 300
    assert [block.impossible for block in found] == [1, 0, 0, 0]


def test_what_no_probability_has_is_counted() -> None:
    fine = record.from_top([-1, -2], [[-0.5, -1], [-0.2, -np.inf]])
    assert list(fine.impossible) == [0, 0]
    bad = record.from_top([np.nan, 0.5, -np.inf], [[np.nan, -1], [0.5, -1], [-1, -1]])
    assert list(bad.impossible) == [2, 2, 1]
    assert bad.excess[2] == 0
    assert record.from_top([-0.1], [[-0.1, -0.1]]).excess[0] == pytest.approx(2 * np.exp(-0.1) - 1)
    assert record.blocks(bad)[0].entropy > 0
    only = record.blocks(record.from_top([np.nan], [[np.nan]]))[0]
    assert not only.HasField("entropy")
    assert only.impossible == 2


def test_a_long_answer_is_cut() -> None:
    tokens = record.Tokens(np.zeros(record.BLOCK_TOKENS * record.MAX_BLOCKS + 1))
    assert len(record.blocks(tokens)) == record.MAX_BLOCKS
    assert record.blocks(record.Tokens(np.zeros(0))) == []


def test_tensors() -> None:
    half = np.array([[1, -2], [np.inf, np.nan]], np.float16)
    one, two, three = statistics({"a": half, "b" * 200: np.array([3, 5]), "c": np.array(["x"])})
    assert (one.datatype, one.elements, one.nonfinite, one.min, one.max, one.mean) == ("FP16", 4, 2, -2, 1, -0.5)
    assert (two.datatype, two.mean, len(two.name)) == ("INT64", 4, 100)
    assert (three.datatype, three.elements, three.HasField("min")) == ("BYTES", 1, False)


def test_texts_are_such_as_the_analyser_takes() -> None:
    assert clipped("a\nb\x00c", 200) == "a b c"
    assert clipped("ü" * 10, 5) == "üü"
