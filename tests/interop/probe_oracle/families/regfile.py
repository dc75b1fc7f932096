"""Family regfile: 240 registers, written, complemented upwards and read downwards, as lists."""

import itertools

from ..common import M32, rand32, rotl
from ..family import Family, Recipe

REGISTERS = 240


def chain(first, step, turn):
    registers = [first]
    while len(registers) < REGISTERS:
        registers.append(rotl(registers[-1], turn, 32) + step & M32)
    return registers


def regfile_operands(seed, lane, i):
    """What the registers hold first."""
    hashed = rand32(seed, lane, 2 * i), rand32(seed, lane, 2 * i + 1) | 1
    return [
        lambda: [0] * REGISTERS,
        lambda: [M32] * REGISTERS,
        lambda: [0x55555555] * REGISTERS,
        lambda: [0x55555555, 0xAAAAAAAA] * (REGISTERS // 2),
        lambda: [0x33333333, 0xCCCCCCCC] * (REGISTERS // 2),
        lambda: [1 << (i // 8 + 5 * lane + k) % 32 for k in range(REGISTERS)],
        lambda: [0x04040404 * lane + 0x01010101 * k & M32 for k in range(REGISTERS)],
        lambda: chain(*hashed, 7),
    ][i % 8]()


def read_of(words, triples):
    partial = list(itertools.accumulate(words))
    return [partial[-1] & M32, sum(partial) & M32, 0, sum(a ^ b ^ c for a, b, c in triples) & M32]


def regfile_results(registers):
    complemented = [M32 - word for word in registers]
    thirds = [list(zip(words[:80], words[80:160], words[160:])) for words in (registers, complemented)]
    return read_of(registers, thirds[0]) + read_of(complemented[::-1], thirds[1])


FAMILY = Family("regfile", 15, gpu=Recipe(1, 32, regfile_operands, regfile_results))
