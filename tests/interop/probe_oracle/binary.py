"""IEEE 754 with unbounded integers: a finite value is an integer number of 2^-unit, so that sums and products are exact integers."""

from .common import M32

NAN = "nan"
INF = "inf"


def nearest_even(numerator, shift):
    if shift == 0:
        return numerator
    quotient, rest = numerator >> shift, numerator & ((1 << shift) - 1)
    half = 1 << (shift - 1)
    return quotient + (1 if rest > half or (rest == half and quotient % 2 == 1) else 0)


class Binary:
    """An interchange format of IEEE 754; 2^-unit is its least subnormal, or a fraction of it."""

    def __init__(self, exponent_bits, fraction_bits, unit):
        self.exponent_bits, self.fraction_bits, self.unit = exponent_bits, fraction_bits, unit
        self.sign = 1 << (exponent_bits + fraction_bits)
        self.special = (1 << exponent_bits) - 1
        self.bias = self.special >> 1
        self.canonical = self.sign - 1

    def decode(self, bits):
        """(sign, value): value is NAN, INF or a magnitude in units."""
        sign = 1 if bits & self.sign else 0
        exponent = bits >> self.fraction_bits & self.special
        fraction = bits & ((1 << self.fraction_bits) - 1)
        if exponent == self.special:
            return sign, NAN if fraction else INF
        if exponent:
            fraction += 1 << self.fraction_bits
        else:
            exponent = 1
        return sign, fraction << (exponent - self.bias - self.fraction_bits + self.unit)

    def encode(self, sign, magnitude, unit=None):
        """Bits of magnitude * 2^-unit, rounded once."""
        unit = self.unit if unit is None else unit
        top = self.sign if sign else 0
        if magnitude == 0:
            return top
        exponent = magnitude.bit_length() - 1 - unit  # floor of the binary logarithm
        exponent = max(exponent, 1 - self.bias)
        shift = unit + exponent - self.fraction_bits  # drops everything below the unit in the last place
        significand = nearest_even(magnitude, shift) if shift > 0 else magnitude << -shift
        if significand >> (self.fraction_bits + 1):
            significand >>= 1
            exponent += 1
        if exponent > self.bias:
            return self.infinity(sign)
        if significand >> self.fraction_bits == 0:
            return top | significand
        return top | (exponent + self.bias) << self.fraction_bits | significand & ((1 << self.fraction_bits) - 1)

    def infinity(self, sign):
        return (self.sign if sign else 0) | self.special << self.fraction_bits

    def fma(self, a, b, c):
        (sa, va), (sb, vb), (sc, vc) = self.decode(a), self.decode(b), self.decode(c)
        if NAN in (va, vb, vc):
            return self.canonical
        sp = sa ^ sb
        if INF in (va, vb):
            if 0 in (va, vb) or (vc == INF and sc != sp):
                return self.canonical
            return self.infinity(sp)
        if vc == INF:
            return c
        product = (va * vb) * (-1) ** sp  # units of 2^-(2 unit)
        total = product + (vc << self.unit) * (-1) ** sc
        if total == 0:
            return self.encode(1 if sp == 1 and sc == 1 and product == 0 and vc == 0 else 0, 0)
        return self.encode(1 if total < 0 else 0, abs(total), 2 * self.unit)

    def mul(self, a, b):
        (sa, va), (sb, vb) = self.decode(a), self.decode(b)
        if NAN in (va, vb) or (INF in (va, vb) and 0 in (va, vb)):
            return self.canonical
        return self.infinity(sa ^ sb) if INF in (va, vb) else self.encode(sa ^ sb, va * vb, 2 * self.unit)

    def add(self, a, b):
        (sa, va), (sb, vb) = self.decode(a), self.decode(b)
        if NAN in (va, vb) or (va == INF and vb == INF and sa != sb):
            return self.canonical
        if INF in (va, vb):
            return a if va == INF else b
        total = va * (-1) ** sa + vb * (-1) ** sb
        return self.encode(1 if total < 0 or (total == 0 and sa and sb and va == 0 and vb == 0) else 0, abs(total))

    def negated(self, a):
        return a ^ self.sign

    def to_int32(self, a):
        sign, value = self.decode(a)
        return nearest_even(value, self.unit) * (-1) ** sign & M32

    def from_int32(self, word):
        value = word - (1 << 32) if word >> 31 else word
        return self.encode(1 if value < 0 else 0, abs(value), 0)

    def to(self, other, a):
        """a in another format."""
        sign, value = self.decode(a)
        if value == NAN:
            return other.canonical
        return other.infinity(sign) if value == INF else other.encode(sign, value, self.unit)


B16 = Binary(5, 10, 24)
BF16 = Binary(8, 7, 133)
B32 = Binary(8, 23, 149)
B64 = Binary(11, 52, 1074)
