"""Tiles of the tensor core families: operands as integers and scales, results by exact arithmetic."""

import struct
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ldexp

from .common import M32, rand64
from .family import Family, Recipe

ROWS, COLUMNS, QUAD, LANES = 16, 8, 4, 32


@dataclass(frozen=True)
class Side:
    bits: int
    full: bool = False
    shift: int = 0
    least_scale: int = 0
    scales: int = 1


@dataclass(frozen=True)
class Class:
    """One of the eight kinds of tiles of a format; c = (bits, shift) of the addends."""

    a: Side
    b: Side
    c: tuple
    sparse: bool = False
    narrow: bool = False

    def swapped(self):
        return Class(self.b, self.a, self.c, self.sparse, self.narrow)


@dataclass(frozen=True)
class Format:
    """elements: of a 64-bit unit, each of `width` bits, of which the lowest `drawn` are used and those above `shift_at` are the shift."""

    name: str
    elements: int
    width: int
    drawn: int
    shift_at: int
    classes: tuple

    def kind(self, iteration):
        kind = self.classes[iteration % 8]
        return kind.swapped() if iteration // 8 % 2 else kind

    def element(self, unit, place, side):
        bits = unit >> place * self.width & (1 << self.drawn) - 1
        magnitude = bits % (1 << side.bits)
        if side.full:
            magnitude |= 1 << side.bits - 1
        magnitude <<= bits >> self.shift_at & side.shift
        return -magnitude if bits >> self.drawn - 1 else magnitude


@dataclass(frozen=True)
class Tile:
    """a[row][k] * 2^a_scale[row], b[column][k] * 2^b_scale[column], c[row][column] in units of both scales."""

    a: list
    b: list
    c: list
    a_scale: list
    b_scale: list
    narrow: bool = False

    def dot(self, row, column):
        return sum(x * y for x, y in zip(self.a[row], self.b[column]))

    def scale(self, row, column):
        return self.a_scale[row] + self.b_scale[column]


def unit_of(seed, group, iteration, number):
    return rand64(seed, group << 8 | number, iteration)


def signed(bits, width):
    bits %= 1 << width
    return bits - (1 << width) if bits >> width - 1 else bits


def places_of(lane):
    """(row, column) of the four places of a lane in an accumulator fragment of 16 x 8."""
    return [(lane // QUAD + 8 * upper, lane % QUAD * 2 + right) for upper in (0, 1) for right in (0, 1)]


def from_places(value_of):
    """The 16 x 8 matrix of value_of(lane, place)."""
    matrix = [[None] * COLUMNS for _ in range(ROWS)]
    for lane in range(LANES):
        for place, (row, column) in enumerate(places_of(lane)):
            matrix[row][column] = value_of(lane, place)
    return matrix


def lines(unit, first, count, elements_of):
    return [[x for q in range(QUAD) for x in elements_of(unit(first + QUAD * line + q), q)] for line in range(count)]


def float_tile(form, seed, group, iteration):
    def unit(number):
        return unit_of(seed, group, iteration, number)

    kind, tile_bits = form.kind(iteration), unit(128)

    def elements_of(side, zeroed):
        def drawn(bits, q):
            active = (tile_bits >> 2 * q & 3) % form.elements
            keep = [not (kind.sparse and zeroed) or e == active for e in range(form.elements)]
            return [form.element(bits, e, side) if keep[e] else 0 for e in range(form.elements)]
        return drawn

    zeros_in_a = tile_bits >> 8 & 1 == 1
    addends = [unit(96 + lane) for lane in range(LANES)]
    bits, shift = kind.c
    return Tile(
        lines(unit, 0, ROWS, elements_of(kind.a, zeros_in_a)),
        lines(unit, 64, COLUMNS, elements_of(kind.b, not zeros_in_a)),
        from_places(lambda lane, place: signed(addends[lane] >> 16 * place, bits) << shift),
        [kind.a.least_scale + ((tile_bits >> 16) % 65536 + row) % kind.a.scales for row in range(ROWS)],
        [kind.b.least_scale + ((tile_bits >> 32) % 65536 + column) % kind.b.scales for column in range(COLUMNS)],
        kind.narrow,
    )


def encoded(value, scale, narrow):
    code, word = ("<e", "<H") if narrow else ("<f", "<I")
    exact = ldexp(value, scale)
    octets = struct.pack(code, exact)
    assert struct.unpack(code, octets)[0] == exact, "a result that its format does not hold"
    return struct.unpack(word, octets)[0]


def rows_exchanged(words):
    return words[2:] + words[:2]


@lru_cache(maxsize=1024)
def float_results(form, seed, group, iteration):
    """Of each lane, eight words."""
    tile = float_tile(form, seed, group, iteration)
    results = []
    for lane in range(LANES):
        places = places_of(lane)
        first = [encoded(tile.dot(*p) + tile.c[p[0]][p[1]], tile.scale(*p), tile.narrow) for p in places]
        left = [encoded(tile.c[p[0]][p[1]], tile.scale(*p), tile.narrow) for p in places]
        results.append(first + rows_exchanged(left))
    return results


def int8_tile(seed, group, iteration):
    def elements_of(extreme):
        def drawn(bits, _):
            octets = [signed(bits >> 8 * e, 8) for e in range(8)]
            return [-128 if x < 0 else 127 for x in octets] if extreme else octets
        return drawn

    def unit(number):
        return unit_of(seed, group, iteration, number)

    return Tile(
        lines(unit, 0, ROWS, elements_of(iteration % 4 == 2)),
        lines(unit, 64, COLUMNS, elements_of(iteration % 4 == 3)),
        from_places(lambda lane, place: 32767 * signed(unit(96 + lane) >> 16 * place, 16)),
        [0] * ROWS,
        [0] * COLUMNS,
    )


@lru_cache(maxsize=1024)
def int8_results(seed, group, iteration):
    tile = int8_tile(seed, group, iteration)
    results = []
    for lane in range(LANES):
        places = places_of(lane)
        first = [tile.dot(row, column) + tile.c[row][column] for row, column in places]
        left = [tile.c[row][column] - sum(tile.b[column]) for row, column in places]
        results.append([word & M32 for word in first + rows_exchanged(left)])
    return results


@lru_cache(maxsize=1024)
def fp64_tile(seed, group, iteration):
    """Values as fractions, so that their scales are part of them."""
    def unit(number):
        return unit_of(seed, group, iteration, number)

    tile_bits, whole = unit(128), iteration % 2 == 1
    widths = (25, 26) if iteration & 2 else (26, 25)

    def line(first, number, width, at, zeroed):
        scale = Fraction(2) ** (((tile_bits >> at) % 65536 + number) % 550 - 300)
        values = []
        for q in range(QUAD):
            bits = unit(first + QUAD * number + q)
            magnitude = Fraction((1 << 52) + bits % (1 << 52), 1 << 52) if whole else Fraction(bits % (1 << width))
            kept = not whole or not zeroed or q == tile_bits % 4
            values.append((-magnitude if bits >> 63 else magnitude) * scale if kept else Fraction(0))
        return values, scale

    zeros_in_a = tile_bits >> 8 & 1 == 1
    a = [line(0, row, widths[0], 16, zeros_in_a) for row in range(8)]
    b = [line(64, column, widths[1], 32, not zeros_in_a) for column in range(8)]
    return a, b, whole


def halves(value):
    octets = struct.pack("<d", float(value))
    assert Fraction(struct.unpack("<d", octets)[0]) == value, "a result that binary64 does not hold"
    return list(struct.unpack("<II", octets))


@lru_cache(maxsize=1024)
def fp64_results(seed, group, iteration):
    a, b, whole = fp64_tile(seed, group, iteration)
    results = []
    for lane in range(LANES):
        addends, sums = [], []
        for place in (0, 1):
            (row, row_scale), (column, column_scale) = a[lane // QUAD], b[lane % QUAD * 2 + place]
            dot = sum(x * y for x, y in zip(row, column))
            drawn = signed(unit_of(seed, group, iteration, 96 + lane) >> 32 * place, 29)
            addends.append(-Fraction(float(dot)) if whole else drawn * row_scale * column_scale)
            sums.append(dot + addends[-1])
        results.append([word for value in sums + addends for word in halves(value)])
    return results


def family_of(name, number, iterations, results_of):
    """A tile's operands are those of a whole group, so a lane's are given by their coordinates alone."""

    def results(coordinates):
        seed, lane, i = coordinates
        return results_of(seed, lane // LANES, i)[lane % LANES]

    return Family(name, number, gpu=Recipe(1, iterations, lambda *coordinates: coordinates, results))
