"""Family cpu_bf16: matrix products of small integers."""

from ..binary import B32
from ..common import GOLDEN64, M32, M64, mix64, rand32
from ..family import Family, Recipe

DEPTH = 64


def octets(seed, line):
    """The 64 bytes of a row or column."""
    groups = (mix64(seed + (8 * line + q + 1) * GOLDEN64 & M64) for q in range(DEPTH // 8))
    return b"".join(group.to_bytes(8, "little") for group in groups)


def values(line_bytes, is_unsigned):
    return [byte if is_unsigned or byte < 128 else byte - 256 for byte in line_bytes]


def row(operands, r):
    random = octets(operands[0], r)
    patterns = {1: [1 << byte % 8 for byte in random], 2: [255 - (1 << byte % 8) for byte in random]}
    return values(patterns.get(r % 4, random), operands[2] & 1)


def column(operands, c):
    return values(octets(operands[1], c), operands[2] & 2)


def dot(x, y):
    return sum(a * b for a, b in zip(x, y))


def addend(r, random, total):
    large = 0x800000 + random % 0x400000
    choices = [0, -large if random >> 31 else large, random % 0x800000 - 0x400000, random % 256 - 128 - total]
    return choices[r % 4]


def cpu_bf16_operands(seed, lane, i):
    operands = [rand32(seed, 8, i), rand32(seed, lane, 33 * i), i % 4]
    columns = [column(operands, c) for c in range(2)]
    rows = [row(operands, r) for r in range(16)]
    for word in range(32):
        total = dot(rows[word % 16], columns[word // 16])
        operands.append(addend(word % 16, rand32(seed, lane, 33 * i + 1 + word), total) & M32)
    return operands


def cpu_bf16_results(operands):
    scale = operands[0] % 32 + (operands[0] >> 5) % 32 - 32
    columns = [column(operands, c) for c in range(2)]
    rows = [row(operands, r) for r in range(16)]
    results = []
    for word, c in enumerate(operands[3:]):
        total = dot(rows[word % 16], columns[word // 16]) + (c - (1 << 32) if c >> 31 else c)
        # In units of 2^-64, of which the scale makes no fraction.
        results.append(B32.encode(1 if total < 0 else 0, abs(total) << 64 + scale, 64))
    return results


FAMILY = Family("cpu_bf16", 21, cpu=Recipe(1, 16, cpu_bf16_operands, cpu_bf16_results))
