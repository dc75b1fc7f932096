"""Family l2: the march of hbm, then atomic operations in any order."""

import random

from ..common import M32, rand64
from ..family import Family, Recipe
from .hbm import hbm_operands
from ..march import march_results

CONTRIBUTORS = 4


def pair(seed, lane, a, k):
    r = rand64(seed, lane, 0x10000 + 8 * a + k)
    return r & M32, r >> 32


def atomics(seed, lane, a):
    """The two words after all contributions, in an order that changes from call to call."""
    contributions = [(s, *pair(seed, lane, a, s)) for s in range(CONTRIBUTORS)]
    random.shuffle(contributions)
    first, second = pair(seed, lane, a, CONTRIBUTORS) if a % 4 != 2 else (0, M32)
    for s, x, y in contributions:
        mine = 0x11111111 << s
        first, second = [
            lambda: (first + x & M32, second ^ y),
            lambda: (max(first, x), min(second, y)),
            lambda: (first | x & mine, second & (y | M32 - mine)),
            lambda: (first * (x | 1) & M32, second + y & M32),
        ][a % 4]()
    return [first, second]


def l2_operands(seed, lane, i):
    return [seed, lane, i]


def l2_results(of):
    seed, lane, i = of
    return march_results(*hbm_operands(seed, lane, i)) if i < 96 else atomics(seed, lane, i - 96)


FAMILY = Family("l2", 17, gpu=Recipe(1, 128, l2_operands, l2_results))
