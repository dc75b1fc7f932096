"""Family hbm: one march of 32 columns per lane."""

from ..family import Family, Recipe
from ..march import READS, march_results


def hbm_operands(seed, lane, i):
    return [seed, lane, i % 32, i // 32]


FAMILY = Family("hbm", 18, gpu=Recipe(1, 32 * READS, hbm_operands, lambda of: march_results(*of)))
