"""Family sfu: operands only. What the special-function units make of them differs between architectures."""

from fractions import Fraction

from ..common import M32, rand32
from ..family import Family, Recipe

PI = Fraction(0x1921FB54442D18, 1 << 51)  # of 53 bits


def binary32(value):
    """A positive Fraction in the normal range, rounded to nearest even."""
    exponent = 0
    while value >= 2:
        value, exponent = value / 2, exponent + 1
    while value < 1:
        value, exponent = value * 2, exponent - 1
    return (exponent + 127 << 23) + round((value - 1) * (1 << 23))


def segment(exponent_field, r):
    return exponent_field << 23 | r % 128 << 16


def sfu_operands(seed, lane, i):
    r = [rand32(seed, lane, 4 * i + k) for k in range(4)]
    if i % 4 == 0:
        return r
    d = i % 4 - 2
    sign = [word & 0x80000000 for word in r]
    return [
        sign[0] | binary32(Fraction(1 + r[0] % 8192, 128)) + d,
        segment(1 + (r[1] >> 8) % 254, r[1]) + d & M32,
        sign[2] | binary32((1 + r[2] % 512) * PI / 256) + d,
        sign[3] | segment(117 + (r[3] >> 8) % 14, r[3]) + d,
    ]


FAMILY = Family("sfu", 14, gpu=Recipe(1, 256, sfu_operands, None))
