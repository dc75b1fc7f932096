"""A model that keeps state outside of parameters and buffers, or whose kernels need not repeat themselves, trains as without the monitor:
no micro-batch of it is replayed."""

from __future__ import annotations

import pytest
from torch import nn

import stateful
from analyser import Analyser
from conftest import Configure
from ranks import Ranks

# Which line says why on every rank.
NOT_REPLAYED = {
    stateful.Hidden: "Hidden.hidden changes in a forward pass",
    stateful.Counting: "layer._forward_hooks[",
    stateful.Cached: "Cached.cache[",
    stateful.Written: "add_.Tensor would write into a tensor",
    stateful.Renormalised: "Renormalised.table.weight changes in a forward pass",
    stateful.Global: "stateful.TOTAL changes in a forward pass",
    stateful.Drawn: "Drawn.generator changes in a forward pass",
    stateful.Iterated: "Iterated.numbers is a count, which may hold anything",
    stateful.Unpooled: "does not have a deterministic implementation",
}


@pytest.mark.parametrize("kind", NOT_REPLAYED, ids=lambda kind: kind.__name__)
def test_is_not_replayed(kind: type[nn.Module], ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    without = ranks.run(stateful.train, kind=kind)
    with_monitor = ranks.run(stateful.train, kind=kind, config=configure())
    for plain, watched in zip(without, with_monitor, strict=True):
        assert watched["losses"] == plain["losses"]
        assert watched["digest"] == plain["digest"]
        (line,) = [line for line in watched["log"] if "replay is off" in line]
        assert NOT_REPLAYED[kind] in line
    assert analyser.of("replay") == []
    assert analyser.of("step")


UNLIKE = {
    stateful.Tasked: "attributes hold other values on another rank",
    stateful.Weighted: "hold other parameters or constants",
}


@pytest.mark.parametrize("kind", UNLIKE, ids=lambda kind: kind.__name__)
def test_is_not_compared_with_ranks_whose_model_holds_something_else(
    kind: type[nn.Module], ranks: Ranks, analyser: Analyser, configure: Configure
) -> None:
    with_monitor = ranks.run(stateful.train, kind=kind, config=configure())
    rounds = analyser.of("replay")
    assert any(len({answer.rank for answer in one.answers}) > 1 for one in rounds)
    for one in rounds:
        assert len({answer.digest for answer in one.answers}) == 1
        assert one.rank == 1 or 1 not in {answer.rank for answer in one.answers}
        assert one.rank != 1 or {answer.rank for answer in one.answers} == {1}
    assert any(UNLIKE[kind] in line for watched in with_monitor for line in watched["log"])


@pytest.mark.parametrize("kind", [stateful.Normalised, stateful.Cut], ids=lambda kind: kind.__name__)
def test_is_replayed(kind: type[nn.Module], ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    """From buffers as they were, and from inputs that lie in memory as they did."""
    without = ranks.run(stateful.train, kind=kind)
    with_monitor = ranks.run(stateful.train, kind=kind, config=configure())
    assert [one["digest"] for one in with_monitor] == [one["digest"] for one in without]
    assert analyser.of("replay")
    for one in analyser.of("replay"):
        assert len({answer.digest for answer in one.answers}) == 1
