"""Elementary functions of rational arguments with unbounded integers: value * 2^-BITS, cut off, far beyond what is compared."""

from fractions import Fraction
from functools import lru_cache

BITS = 256
ONE = 1 << BITS


def fixed(x):
    """A rational as an integer in units of 2^-BITS."""
    return (x.numerator << BITS) // x.denominator


def series(first, step):
    """first + first * step(1) + first * step(1) * step(2) + …, in units; step gives (factor in units, divisor)."""
    total = term = first
    n = 0
    while term:
        n += 1
        factor, divisor = step(n)
        product = abs(term) * abs(factor) >> BITS
        term = (product if (term < 0) == (factor < 0) else -product) // divisor if product >= divisor else 0
        total += term
    return total


def atanh(x):
    """Of a rational, |x| < 1/2."""
    z = fixed(x)
    square, power, total, n = z * z >> BITS, z, 0, 1
    while abs(power) > 1:
        total += power // n
        power = power * square >> BITS
        n += 2
    return total


@lru_cache
def ln2():
    return 2 * atanh(Fraction(1, 3))


@lru_cache
def half_pi():
    def atan_inverse(n):
        power, total, k = ONE // n, 0, 1
        while power:
            total += power // k if k % 4 == 1 else -(power // k)
            power //= n * n
            k += 2
        return total

    return 2 * (4 * atan_inverse(5) - atan_inverse(239))


def exp_units(x):
    """(m, n): e^x = m * 2^n in units, of an x in units."""
    n, rest = divmod(x, ln2())
    return series(ONE, lambda k: (rest, k)), n


def exp(x):
    m, n = exp_units(fixed(x))
    return Fraction(m, ONE) * Fraction(2) ** n


def exp2(x):
    whole, part = divmod(x, 1)
    m, n = exp_units(fixed(part) * ln2() >> BITS)
    return Fraction(m, ONE) * Fraction(2) ** (n + int(whole))


def log_units(x):
    n = 0
    while x >= Fraction(4, 3):
        x, n = x / 2, n + 1
    while x < Fraction(2, 3):
        x, n = x * 2, n - 1
    return n * ln2() + 2 * atanh((x - 1) / (x + 1))


def log(x):
    return Fraction(log_units(x), ONE)


def log2(x):
    return Fraction(log_units(x), ln2())


def power(x, y):
    m, n = exp_units(log_units(x) * y.numerator // y.denominator)
    return Fraction(m, ONE) * Fraction(2) ** n


def circular(x):
    """(sin, cos)."""
    quadrant, rest = divmod(fixed(x), half_pi())
    square = rest * rest >> BITS
    sine = Fraction(series(rest, lambda k: (-square, 2 * k * (2 * k + 1))), ONE)
    cosine = Fraction(series(ONE, lambda k: (-square, 2 * k * (2 * k - 1))), ONE)
    return [(sine, cosine), (cosine, -sine), (-sine, -cosine), (-cosine, sine)][quadrant % 4]


def sin(x):
    return circular(x)[0]


def cos(x):
    return circular(x)[1]


def tan(x):
    sine, cosine = circular(x)
    return sine / cosine


def tanh(x):
    e = exp(2 * x)
    return (e - 1) / (e + 1)
