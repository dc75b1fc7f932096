"""Family smem: marches over shared memory."""

from ..family import Family, Recipe
from ..march import READS, march_results


def smem_operands(seed, lane, i):
    return [seed, lane, i // READS, i % READS]


FAMILY = Family("smem", 16, gpu=Recipe(1, 32 * READS, smem_operands, lambda of: march_results(*of)))
