"""Family cpu_reg: what the vector registers hold, complemented and restored."""

from ..common import M32, rand32
from ..family import Family, Recipe


def cpu_reg_operands(seed, lane, i):
    walking = [1 << (i // 8 + 8 * k + 4 * lane) % 32 for k in range(16)]
    random = [rand32(seed, lane, 16 * i + k) for k in range(16)]
    classes = [
        [0] * 16, [0, M32] * 8, [0x55555555] * 16, [0x55555555, 0xAAAAAAAA] * 8, [0x33333333, 0xCCCCCCCC] * 8,
        walking, [0x11111111 * k for k in range(16)], random,
    ]
    return classes[i % 8][:15] + random[15:]


def cpu_reg_results(operands):
    return [M32 - word for word in operands] + operands


FAMILY = Family("cpu_reg", 4, cpu=Recipe(1, 128, cpu_reg_operands, cpu_reg_results))
