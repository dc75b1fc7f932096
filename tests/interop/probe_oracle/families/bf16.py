"""Family bf16: packed bfloat16, of GPUs."""

from ..binary import B32, BF16
from ..family import Family, Recipe
from ..half import Half

HALF = Half(BF16, least=112, span=31, tiny_a=60, tiny_b=57)


def bf16_results(operands):
    a, b, _ = operands
    return HALF.results(operands) + [B32.to(BF16, a) | B32.to(BF16, b) << 16]


FAMILY = Family("bf16", 7, gpu=Recipe(1, 512, HALF.operands, bf16_results))
