"""Family cpu_mem: the words of a block one by one, as they are read."""

import itertools

from ..common import M32, rand32
from ..family import Family, Recipe


def cpu_mem_operands(seed, lane, i):
    return [rand32(seed, lane, 2 * i), rand32(seed, lane, 2 * i + 1) | 1]


def sums(words):
    partial = list(itertools.accumulate(words))
    return [partial[-1] & M32, sum(partial) & M32, 0]


def cpu_mem_results(operands):
    base, step = operands
    column = [base + j * step & M32 for j in range(64)]
    upwards, downwards = sums(column), sums([M32 - word for word in reversed(column)])
    return upwards + downwards + upwards


FAMILY = Family("cpu_mem", 5, cpu=Recipe(1, 2752, cpu_mem_operands, cpu_mem_results))
