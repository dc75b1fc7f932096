"""What a family's file provides, and the digests that follow from it."""

from dataclasses import dataclass
from typing import Callable, Optional

from .common import fold, fold_all, seed_of

LANES = {"cpu": 8, "gpu": 64}
GPU_BLOCK = 32  # iterations after which a GPU compares its running digests


@dataclass(frozen=True)
class Recipe:
    """operands(seed, lane, i) and results(operands) are lists of 32-bit words. results is None where only silicon knows them."""

    probe_version: int
    iterations: int  # per lane
    operands: Callable
    results: Optional[Callable]

    def results_of(self, seed, lane, i):
        return self.results(self.operands(seed, lane, i))

    def running_digests(self, seed, lane):
        """The lane's digest after each iteration."""
        digest = 0
        for i in range(self.iterations):
            for word in self.results_of(seed, lane, i):
                digest = fold(digest, word)
            yield digest


@dataclass(frozen=True)
class Family:
    """A backend that does not run the family has no recipe."""

    name: str
    number: int  # of sentinel.v1.ProbeFamily
    cpu: Optional[Recipe] = None
    gpu: Optional[Recipe] = None

    def recipe(self, backend):
        return {"cpu": self.cpu, "gpu": self.gpu}[backend]

    def seed(self, epoch, index):
        return seed_of(self.number, epoch, index)

    def lane_digest(self, backend, seed, lane):
        return list(self.recipe(backend).running_digests(seed, lane))[-1]

    def block_digests(self, backend, seed, lane):
        """The lane's digest after each block of a GPU; the last is its lane digest."""
        return list(self.recipe(backend).running_digests(seed, lane))[GPU_BLOCK - 1 :: GPU_BLOCK]

    def sm_digest(self, backend, epoch, index):
        seed = self.seed(epoch, index)
        return fold_all(self.lane_digest(backend, seed, lane) for lane in range(LANES[backend])) or 1
