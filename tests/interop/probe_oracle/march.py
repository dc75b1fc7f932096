"""Columns of the memory families, word by word, in memories of two sizes: the results must not depend on the size."""

import functools

from .common import M32, rand32, salted

READS = 3
SIZES = (1, 2, 34, 227)  # words of a column; 34: hbm on a GPU with 132 SMs and 50 MB of cache; 227: smem on sm_90


def partner(number, read):
    return (5 * number + 11 * read + 1) % 32


def column(seed, lane, number, n, place):
    """All n words of a column."""
    middle, step = rand32(seed, lane, 2 * number), rand32(seed, lane, 2 * number + 1) | 1
    odd = n if n % 2 else n - 1
    return [salted(middle + (j - odd // 2) * step, place) for j in range(n)]


def mean(words):
    """Of the largest odd number of them, modulo 2^32."""
    odd = len(words) if len(words) % 2 else len(words) - 1
    return sum(words[:odd]) * pow(odd, -1, 1 << 32) & M32


def read_of(words, place, complemented):
    """(mean without the salt, difference) of words that are what was written."""
    if complemented:
        return [M32 - salted(M32 - mean([M32 - word for word in words]), -place), 0]
    return [salted(mean(words), -place), 0]


@functools.lru_cache(maxsize=1 << 14)  # three reads of each column
def results(seed, lane, number, complemented):
    found = {tuple(read_of(column(seed, lane, number, n, n + 3), n + 3, complemented)) for n in SIZES}
    assert len(found) == 1, "the results depend on the size of the memory"
    return list(found.pop())


def march_results(seed, lane, number, read):
    return results(seed, lane ^ partner(number, read), number, read == 1)
