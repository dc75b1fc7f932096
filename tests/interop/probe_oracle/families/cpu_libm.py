"""Family cpu_libm: functions of a math library, shortened, and correctly rounded roots and quotients."""

from fractions import Fraction
from math import isqrt

from .. import real
from ..binary import B32, B64, INF, NAN
from ..common import M32, rand64
from ..family import Family, Recipe
from .fma32 import pack, special
from .fma64 import pack64, special64

FUNCTIONS = [real.exp, real.exp2, real.log, real.log2, real.sin, real.cos, real.tan, real.tanh, real.power]
POW = 8
# Least exponent, how many, whether it has a sign: of the functions' arguments, and of the second one of pow.
RANGES = [(-2, 8, 1), (-2, 8, 1), (-32, 64, 0), (-32, 64, 0), (-2, 8, 1), (-2, 8, 1), (-2, 8, 1), (-4, 8, 1), (-4, 8, 0)]
EXPONENTS = (-4, 8, 1)
SHORTENED, ALLOWED, TRIES = 6, 4, 8
SMALLEST = Fraction(1, 1 << 40)


def argument(binary, limits, random):
    least, count, signed = limits
    exponent = least + binary.bias + (random >> 52) % count
    fraction = random % (1 << binary.fraction_bits)
    return (binary.sign if signed and random >> 63 else 0) | exponent << binary.fraction_bits | fraction


def rational(binary, bits):
    sign, value = binary.decode(bits)
    return Fraction(value, 1 << binary.unit) * (-1) ** sign


def cut_off(binary, x):
    """The bits of x, cut off after the last one of the format."""
    if x == 0:
        return 0
    magnitude, exponent = abs(x), 0
    while magnitude >= 2:
        magnitude, exponent = magnitude / 2, exponent + 1
    while magnitude < 1:
        magnitude, exponent = magnitude * 2, exponent - 1
    fraction = int((magnitude - 1) * (1 << binary.fraction_bits))
    return (binary.sign if x < 0 else 0) | exponent + binary.bias << binary.fraction_bits | fraction


def shortened(bits):
    unit = 1 << SHORTENED
    return (bits + unit // 2) // unit * unit


def value(binary, f, x, y):
    arguments = [rational(binary, x)] + ([rational(binary, y)] if f == POW else [])
    return FUNCTIONS[f](*arguments)


def is_large_enough(f, x, exact):
    if FUNCTIONS[f] is real.tan:
        return min(abs(part) for part in real.circular(x)) >= SMALLEST
    return FUNCTIONS[f] not in (real.log, real.log2, real.sin, real.cos) or abs(exact) >= SMALLEST


def usable(binary, f, x, y):
    if not is_large_enough(f, rational(binary, x), exact := value(binary, f, x, y)):
        return False
    low = cut_off(binary, exact) % (1 << SHORTENED)
    half = 1 << SHORTENED - 1
    return low + ALLOWED < half or low >= half + ALLOWED


def arguments(binary, f, seed, lane, slot):
    for k in range(TRIES):
        word = 2 * (TRIES * slot + k)
        x = argument(binary, RANGES[f], rand64(seed, lane, word))
        y = argument(binary, EXPONENTS, rand64(seed, lane, word + 1)) if f == POW else 0
        if usable(binary, f, x, y):
            return x, y
    one = binary.bias << binary.fraction_bits
    return (one if FUNCTIONS[f] in (real.log, real.log2, real.power) else 0), one


def dividend(i, random, selector, binary):
    """An operand of root and division: any bits, moderate exponents, the smallest numbers, special values."""
    make, special_of = (pack64, special64) if binary is B64 else (pack, special)
    if i % 4 == 0:
        return random
    if i % 4 == 1:
        return make(random, binary.bias - 15 + selector % 32, random)
    if i % 4 == 2:
        return make(random, 0 if selector & 1 else (selector >> 1) % 32, random)
    return special_of(selector, random)


def halves(word):
    return [word & M32, word >> 32]


def cpu_libm_operands(seed, lane, i):
    wide, narrow = [], []
    for f in range(len(FUNCTIONS)):
        slot = 2 * (len(FUNCTIONS) * i + f)
        x, y = arguments(B64, f, seed, lane, slot)
        wide += halves(x)
        z, w = arguments(B32, f, seed, lane, slot + 1)
        narrow.append(z)
    r = [rand64(seed, lane, 0x10000 + 4 * i + k) for k in range(3)]
    a, b = dividend(i, r[0], r[2], B64), dividend(i, r[1], r[2] >> 8, B64)
    c, d = dividend(i, r[0] >> 16 & M32, r[2] >> 16, B32), dividend(i, r[1] >> 16 & M32, r[2] >> 24, B32)
    return wide + halves(y) + narrow + [w] + halves(a) + halves(b) + [c, d]


def root(binary, x):
    sign, v = binary.decode(x)
    if v == NAN or (sign and v != 0):
        return binary.canonical
    if v in (0, INF):
        return x
    # sqrt(v 2^-unit) in units of 2^-(unit + 80), with a lowest bit for what is left.
    shift = 2 * (binary.unit + 80) - binary.unit
    whole = isqrt(v << shift)
    return binary.encode(0, 2 * whole + (whole * whole != v << shift), binary.unit + 81)


def quotient(binary, x, y):
    (sx, vx), (sy, vy) = binary.decode(x), binary.decode(y)
    if NAN in (vx, vy) or (vx == vy and vx in (0, INF)):
        return binary.canonical
    if vx == INF or vy == 0:
        return binary.infinity(sx ^ sy)
    if vx == 0 or vy == INF:
        return binary.encode(sx ^ sy, 0)
    shift = 2 * binary.unit + 80
    whole, rest = divmod(vx << shift, vy)
    return binary.encode(sx ^ sy, 2 * whole + (rest != 0), shift + 1)


def cpu_libm_results(operands):
    def wide(at):
        return operands[at] | operands[at + 1] << 32

    def short(binary, f, x, y):
        return shortened(cut_off(binary, value(binary, f, x, y)))

    count = len(FUNCTIONS)
    first = 3 * (count + 1)
    doubles = [word for f in range(count) for word in halves(short(B64, f, wide(2 * f), wide(2 * count)))]
    singles = [short(B32, f, operands[2 * (count + 1) + f], operands[first - 1]) for f in range(count)]
    a, b, c, d = wide(first), wide(first + 2), operands[first + 4], operands[first + 5]
    return doubles + singles + halves(root(B64, a)) + halves(quotient(B64, a, b)) + [root(B32, c), quotient(B32, c, d)]


FAMILY = Family("cpu_libm", 20, cpu=Recipe(1, 16, cpu_libm_operands, cpu_libm_results))
