"""What is reported of checksums, and of weights that are exchanged while one is taken."""

from __future__ import annotations

from sentinel_inference.manifest import Shard
from sentinel_inference.weights import Weights

OLD = Shard({"a": (1, 2), "b": (3, 4)}, 16)
NEW = Shard({"a": (5, 6), "b": (7, 8)}, 16)
MIXED = Shard({"a": OLD.tensors["a"], "b": NEW.tensors["b"]}, 16)


def taken(weights: Weights, shard: Shard) -> tuple[bytes, bytes, list[str], bool]:
    weights.begin()
    report = weights.report([shard], 1)
    assert report is not None
    (one,) = report.shards
    return one.digest, one.expected, list(one.differing), report.reloaded


def test_the_first_checksum_is_what_later_ones_are_compared_with() -> None:
    weights = Weights(None)
    assert taken(weights, OLD) == (OLD.digest, b"", [], False)
    assert taken(weights, OLD) == (OLD.digest, OLD.digest, [], False)
    assert taken(weights, MIXED) == (MIXED.digest, OLD.digest, ["b"], False)


def test_a_manifest_stays_right_after_an_exchange() -> None:
    weights = Weights([OLD])
    weights.reloaded()
    assert taken(weights, NEW) == (NEW.digest, OLD.digest, ["a", "b"], True)


def test_a_checksum_during_which_weights_are_exchanged_is_of_neither_and_reports_nothing() -> None:
    weights = Weights(None)
    taken(weights, OLD)
    weights.begin()
    weights.reloaded()
    assert weights.report([MIXED], 1) is None
    assert taken(weights, NEW) == (NEW.digest, b"", [], True)
    assert taken(weights, NEW) == (NEW.digest, NEW.digest, [], False)
