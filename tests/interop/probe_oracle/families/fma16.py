"""Family fma16: packed binary16."""

from ..binary import B16
from ..family import Family, Recipe
from ..half import Half

HALF = Half(B16, least=11, span=7, tiny_a=1, tiny_b=1)

FAMILY = Family(
    "fma16",
    6,
    cpu=Recipe(1, 512, HALF.operands, HALF.results),
    gpu=Recipe(1, 512, HALF.operands, HALF.results),
)
