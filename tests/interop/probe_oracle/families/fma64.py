"""Family fma64: a binary64 is two words, low half first."""

from ..binary import B32, B64
from ..common import M32, rand64
from ..family import Family, Recipe

ONES = (1 << 52) - 1
SIGN64 = 1 << 63


def pack64(sign_of, exponent, fraction):
    return sign_of & SIGN64 | exponent << 52 | fraction & ONES


def special64(selector, r):
    sign, payload = r & SIGN64, r & 0x8007FFFFFFFFFFFF
    choices = {
        0: 0, 1: SIGN64, 2: 0x7FF << 52, 3: 0xFFF << 52,
        4: 0x7FF8 << 48 | payload, 5: 0x7FF << 52 | 1 | payload,
        6: sign | 1, 7: sign | ONES, 8: sign | 1 << 52,
        9: sign | 0x7FE << 52 | ONES, 10: sign | 0x3FF << 52, 11: sign | 0x433 << 52 | ONES,
    }
    return choices.get(selector % 16, r)


def fma64_values(seed, lane, i):
    r = [rand64(seed, lane, 4 * i + k) for k in range(4)]

    def bits(at, count):
        return r[3] >> at & ((1 << count) - 1)

    ea, eb = 1008 + bits(0, 5), 1008 + bits(5, 5)
    ep = ea + eb - 1023
    a, b = pack64(r[0], ea, r[0]), pack64(r[1], eb, r[1])
    kind = i % 8
    if kind == 0:
        return r[:3]
    if kind == 1:
        return [a, b, pack64(r[2], ep, r[2])]
    if kind == 2:
        return [a, b, B64.negated(B64.mul(a, b))]
    if kind == 3:
        x = pack64(r[0], ea, ONES ^ (r[0] & bits(10, 8)))
        y = pack64(r[1], eb, ONES << r[1] % 52)
        ec = ep - 52 + bits(20, 1) if bits(30, 2) else ep
        return [x, y, pack64(r[2], ec, ONES if r[2] & 1 else 0)]
    if kind == 4:
        fives, threes = int("5" * 13, 16), int("3" * 13, 16)
        x = pack64(r[0], ea, fives << bits(10, 1) ^ 1 << r[0] % 52)
        y = pack64(r[1], eb, (threes if bits(11, 1) else fives << bits(12, 1)) ^ 1 << r[1] % 52)
        return [x, y, B64.negated(B64.mul(x, y)) if bits(13, 1) else pack64(r[2], ep, 2 * fives)]
    if kind == 5:
        if bits(10, 1):
            return [r[0] & (SIGN64 | ONES), pack64(r[1], 1023 + bits(0, 5), r[1]), r[2] & (SIGN64 | 1 << 52 | ONES)]
        return [pack64(r[0], 500 + bits(0, 5), r[0]), pack64(r[1], 461 + bits(5, 5), r[1]), r[2] & (SIGN64 | ONES)]
    if kind == 6:
        ec = ep - 56 + (i // 8 + 7 * lane) % 112
        return [pack64(r[0], ea, 1 << r[0] % 53), b, pack64(r[2], ec, r[2])]
    return [special64(r[3], r[0]), special64(r[3] >> 4, r[1]), special64(r[3] >> 8, r[2])]


def halves(values):
    return [word for value in values for word in (value & M32, value >> 32)]


def fma64_operands(seed, lane, i):
    return halves(fma64_values(seed, lane, i))


def fma64_results(operands):
    a, b, c = (low | high << 32 for low, high in zip(operands[0::2], operands[1::2]))
    integer = pack64(a, 989 + (a >> 52) % 64, a)
    small = pack64(b, 871 + (b >> 52) % 32, b)
    results = halves([B64.fma(a, b, c), B64.add(a, c), B64.mul(a, b)]) + [B64.to_int32(integer)]
    results += halves([B64.from_int32(b & M32)]) + [B64.to(B32, c), B64.to(B32, small)]
    return results + halves([B32.to(B64, c & M32)])


FAMILY = Family(
    "fma64",
    3,
    cpu=Recipe(1, 1024, fma64_operands, fma64_results),
    gpu=Recipe(1, 512, fma64_operands, fma64_results),
)
