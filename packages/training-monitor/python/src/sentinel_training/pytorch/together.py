"""Whether the job itself has just brought its ranks together: only then does a rank wait for what another says."""

from __future__ import annotations

from torch import nn

from .exchange import ExchangeError

# Steps in a row without it, after which ranks are not compared.
MAX_APART = 64
# Hooks of PyTorch for DistributedDataParallel with which a rank does not wait for all others.
_HOOKS_APART = {"post_localSGD_hook", "noop_hook"}


class Together:
    def __init__(self, ddp: nn.parallel.DistributedDataParallel | None) -> None:
        """`ddp`: None where parameters are sharded, so that each pass brings ranks together."""
        self._ddp = ddp
        self._now = False
        self._apart = 0
        # The last step by gradients of this rank's own, and the last in which all replicas were seen to be equal.
        self._last_apart, self._last_equal = 0, 0

    def forward(self) -> None:
        """A pass with gradients begins; the last one before a step counts."""
        self._now = self._ddp is None or _synchronises(self._ddp)

    @property
    def apart(self) -> bool:
        """May replicas differ? Local steps, as of local SGD, end in an average of all that nobody sees: replicas are known to be equal
        again once they were."""
        return self._last_apart > self._last_equal

    def equal(self, step: int) -> None:
        self._last_equal = max(self._last_equal, step)

    def step(self, step: int) -> bool:
        """A step of the optimizer begins, counted from 1: were ranks brought together since the one before it?

        Raises:
            ExchangeError: not for MAX_APART steps.
        """
        now, self._now = self._now, False
        self._apart = 0 if now else self._apart + 1
        if not now:
            self._last_apart = step
        if self._apart >= MAX_APART:
            raise ExchangeError(f"the job did {MAX_APART} steps without gradients that all ranks share")
        return now


def _synchronises(ddp: nn.parallel.DistributedDataParallel) -> bool:
    hooks = {getattr(hook, "__name__", "") for hook, _ in ddp._comm_hooks}
    return bool(ddp.require_backward_grad_sync) and hooks.isdisjoint(_HOOKS_APART)
