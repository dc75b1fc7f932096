"""What fma16 and bf16 share: the operand classes for formats of 16 bits, two halves to a word."""

from dataclasses import dataclass

from .binary import Binary
from .common import rand32, rand64


@dataclass(frozen=True)
class Half:
    format: Binary
    least: int  # biased exponents of a factor: least to least + span
    span: int
    tiny_a: int
    tiny_b: int

    @property
    def fraction(self):
        return (1 << self.format.fraction_bits) - 1

    def pack(self, sign_of, exponent, fraction):
        return sign_of & 0x8000 | exponent << self.format.fraction_bits | fraction & self.fraction

    def special(self, selector, r):
        sign, ones, bits = r & 0x8000, self.fraction, self.format.fraction_bits
        infinity, bias = self.format.infinity(0), self.format.bias
        quiet = 1 << bits - 1
        payload = r & (0x8000 | quiet - 1)
        choices = {
            0: 0, 1: 0x8000, 2: infinity, 3: 0x8000 | infinity,
            4: infinity | quiet | payload, 5: infinity | 1 | payload,
            6: sign | 1, 7: sign | ones, 8: sign | ones + 1,
            9: sign | infinity - 1, 10: sign | bias << bits, 11: sign | bias + bits << bits | ones,
        }  # fmt: skip
        return choices.get(selector % 16, r)

    def half(self, seed, lane, i, h):
        """Operands a, b, c of one half."""
        wide = rand64(seed, lane, 4 * i + 2 * h)
        r = [wide >> 16 * k & 0xFFFF for k in range(3)] + [rand32(seed, lane, 4 * i + 2 * h + 1)]

        def bits(at, count):
            return r[3] >> at & ((1 << count) - 1)

        binary, count, ones, bias = self.format, self.format.fraction_bits, self.fraction, self.format.bias
        ea, eb = self.least + bits(0, 5) % (self.span + 1), self.least + bits(5, 5) % (self.span + 1)
        ep, opposite = ea + eb - bias, 2 * bias - ea
        a, b = self.pack(r[0], ea, r[0]), self.pack(r[1], eb, r[1])
        kind = (i + 5 * h) % 8
        if kind == 0:
            return r[:3]
        if kind == 1:
            return [a, b, self.pack(r[2], ep, r[2])]
        if kind == 2:
            return [a, b, binary.negated(binary.mul(a, b))]
        if kind == 3:
            x = self.pack(r[0], ea, ones ^ (r[0] & bits(10, 3)))
            y = self.pack(r[1], opposite, ones << r[1] % count)
            ec = bias - count + bits(20, 1) if bits(30, 2) else bias
            return [x, y, self.pack(r[2], ec, ones if r[2] & 1 else 0)]
        if kind == 4:
            x = self.pack(r[0], ea, 0x5555 << bits(10, 1) ^ 1 << r[0] % count)
            y = self.pack(r[1], eb, (0x3333 if bits(11, 1) else 0x5555 << bits(12, 1)) ^ 1 << r[1] % count)
            return [x, y, binary.negated(binary.mul(x, y)) if bits(13, 1) else self.pack(r[2], ep, 0xAAAA)]
        if kind == 5:
            if bits(10, 1):
                large = self.pack(r[1], bias + bits(0, 5) % (self.span + 1), r[1])
                return [r[0] & (0x8000 | ones), large, r[2] & (0x8000 | 2 * ones + 1)]
            x, y = self.pack(r[0], self.tiny_a + bits(0, 3), r[0]), self.pack(r[1], self.tiny_b + bits(5, 3), r[1])
            return [x, y, r[2] & (0x8000 | ones)]
        if kind == 6:
            ec = bias - (count + 4) + (i // 8 + 7 * lane) % (2 * (count + 4))
            x, y = self.pack(r[0], ea, 1 << r[0] % (count + 1)), self.pack(r[1], opposite, r[1])
            return [x, y, self.pack(r[2], ec, r[2])]
        return [self.special(r[3], r[0]), self.special(r[3] >> 4, r[1]), self.special(r[3] >> 8, r[2])]

    def operands(self, seed, lane, i):
        low, high = self.half(seed, lane, i, 0), self.half(seed, lane, i, 1)
        return [x | y << 16 for x, y in zip(low, high)]

    def results(self, operands):
        packed = [0, 0, 0]
        for shift in (0, 16):
            a, b, c = (word >> shift & 0xFFFF for word in operands)
            values = self.format.fma(a, b, c), self.format.add(a, c), self.format.mul(a, b)
            packed = [word | value << shift for word, value in zip(packed, values)]
        return packed
