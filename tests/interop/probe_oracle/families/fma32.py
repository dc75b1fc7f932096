"""Family fma32: operands and results of (seed, lane, i)."""

from ..binary import B16, B32
from ..common import rand32
from ..family import Family, Recipe


def pack(sign_of, exponent, fraction):
    return sign_of & 0x80000000 | exponent << 23 | fraction & 0x7FFFFF


def special(selector, r):
    sign = r & 0x80000000
    choices = {
        0: 0x00000000, 1: 0x80000000, 2: 0x7F800000, 3: 0xFF800000,
        4: 0x7FC00000 | r & 0x803FFFFF, 5: 0x7F800001 | r & 0x803FFFFF,
        6: sign | 0x00000001, 7: sign | 0x007FFFFF, 8: sign | 0x00800000,
        9: sign | 0x7F7FFFFF, 10: sign | 0x3F800000, 11: sign | 0x4B7FFFFF,
    }
    return choices.get(selector % 16, r)


def fma32_operands(seed, lane, i):
    r = [rand32(seed, lane, 4 * i + k) for k in range(4)]

    def bits(at, count):
        return r[3] >> at & ((1 << count) - 1)

    ea, eb = 112 + bits(0, 5), 112 + bits(5, 5)
    ep = ea + eb - 127
    a, b = pack(r[0], ea, r[0]), pack(r[1], eb, r[1])
    kind = i % 8
    if kind == 0:
        return r[:3]
    if kind == 1:
        return [a, b, pack(r[2], ep, r[2])]
    if kind == 2:
        return [a, b, B32.negated(B32.mul(a, b))]
    if kind == 3:
        x = pack(r[0], ea, 0x7FFFFF ^ (r[0] & r[3] >> 10 & 0xFF))
        y = pack(r[1], eb, 0x7FFFFF << r[1] % 23)
        ec = ep - 23 + bits(20, 1) if bits(30, 2) else ep
        return [x, y, pack(r[2], ec, 0x7FFFFF if r[2] & 1 else 0)]
    if kind == 4:
        x = pack(r[0], ea, 0x555555 << bits(10, 1) ^ 1 << r[0] % 23)
        y = pack(r[1], eb, (0x333333 if bits(11, 1) else 0x555555 << bits(12, 1)) ^ 1 << r[1] % 23)
        return [x, y, B32.negated(B32.mul(x, y)) if bits(13, 1) else pack(r[2], ep, 0x2AAAAA)]
    if kind == 5:
        if bits(10, 1):
            return [r[0] & 0x807FFFFF, pack(r[1], 127 + bits(0, 5), r[1]), r[2] & 0x80FFFFFF]
        return [pack(r[0], 50 + bits(0, 5), r[0]), pack(r[1], 32 + bits(5, 5), r[1]), r[2] & 0x807FFFFF]
    if kind == 6:
        ec = ep - 27 + (i // 8 + 7 * lane) % 54
        return [pack(r[0], ea, 1 << r[0] % 24), b, pack(r[2], ec, r[2])]
    return [special(r[3], r[0]), special(r[3] >> 4, r[1]), special(r[3] >> 8, r[2])]


def fma32_results(operands):
    a, b, c = operands
    in_range = a & 0x807FFFFF | 94 + (a >> 23) % 64 << 23
    exact = [B32.fma(a, b, c), B32.add(a, c), B32.mul(a, b), B32.to_int32(in_range), B32.from_int32(b)]
    return exact + [B32.to(B16, c), B16.to(B32, c & 0xFFFF)]


FAMILY = Family(
    "fma32",
    1,
    cpu=Recipe(1, 1024, fma32_operands, fma32_results),
    gpu=Recipe(1, 512, fma32_operands, fma32_results),
)
