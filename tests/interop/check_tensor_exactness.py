#!/usr/bin/env python3
"""Checks that what the tensor core families expect does not depend on the architecture.

Every tile is multiplied by models of the tensor cores' adders (arXiv 2511.10909): the terms of a step are aligned to the greatest
exponent, cut off below a number of fraction bits, summed exactly, and cut off again to the accumulator's. Steps of 4, 8, 16
or all products, in the order of k and in a random one, the addend in each; 23 fraction bits (Volta), 24 (Turing, Ampere, Ada), 25
(Hopper, Blackwell), 13 for fp8. binary64 is a chain of fused multiply-adds, in random orders. Each must give the exact sum.

    check_tensor_exactness.py [--seeds N] [--wider BITS]

--wider draws operands of A that are so many bits wider than the families': the check must then fail. Prints a line of JSON. Exit codes:
0 all exact, 1 not.
"""

import argparse
import json
import random
import sys
from fractions import Fraction
from itertools import product

from probe_oracle.common import seed_of
from probe_oracle.families import tc_bf16, tc_fp8, tc_fp16, tc_tf32
from probe_oracle.tensor import COLUMNS, QUAD, ROWS, Tile, float_tile, fp64_tile

FORMATS = [tc_fp16.FORMAT, tc_bf16.FORMAT, tc_tf32.FORMAT, tc_fp8.FORMAT]
STEPS = (4, 8, 16, 32)
SINGLE = [(fraction, 23) for fraction in (23, 24, 25)]  # (bits below the greatest exponent, of the accumulator)
FP8 = [(13, 13), (13, 23), (24, 23), (25, 23)]
NARROW = [(fraction, 10) for fraction in (23, 24, 25)]


def cut(value, low_bits):
    """Towards zero, to a multiple of 2^low_bits."""
    if low_bits <= 0:
        return value
    magnitude = abs(value) >> low_bits << low_bits
    return -magnitude if value < 0 else magnitude


def exponent(value):
    return abs(value).bit_length() - 1


def step(pairs, addend, fraction, accumulator):
    exponents = [exponent(a) + exponent(b) for a, b in pairs if a and b] + ([exponent(addend)] if addend else [])
    greatest = max(exponents, default=0)
    total = sum(cut(term, greatest - fraction) for term in [a * b for a, b in pairs] + [addend])
    return cut(total, exponent(total) - accumulator)


def modelled(pairs, addend, model, width):
    for first in range(0, len(pairs), width):
        addend = step(pairs[first:first + width], addend, *model)
    return addend


def models_of(form, tile):
    return NARROW if tile.narrow else FP8 if form.name == "fp8" else SINGLE


def is_exact(form, tile, row, column, shuffled):
    """Of both multiplications: A B + C, and with the sum as addend (-A) B, under every model."""
    pairs, addend = list(zip(tile.a[row], tile.b[column])), tile.c[row][column]
    total = tile.dot(row, column) + addend
    again = [(-a, b) for a, b in pairs]
    for order, width in product((lambda x: x, shuffled), STEPS):
        for model in models_of(form, tile):
            if modelled(order(pairs), addend, model, width) != total:
                return False
            if modelled(order(again), total, model, width) != addend:
                return False
    return True


def extremes(form, iteration):
    """All operands of a class as great as they can be: of one sign, of two in turn, and against the addend."""
    kind = form.kind(iteration)
    products = QUAD * (1 if kind.sparse else form.elements)
    a = ((1 << kind.a.bits) - 1) << kind.a.shift
    b = ((1 << kind.b.bits) - 1) << kind.b.shift
    bits, shift = kind.c
    for c in (-(1 << bits - 1) << shift, (1 << bits - 1) - 1 << shift):
        for signs in ([1] * products, [-1] * products, [1, -1] * (products // 2)):
            yield Tile([[a * sign for sign in signs]], [[b] * products], [[c]], [0], [0], kind.narrow)


def widened(tile, bits, chance):
    wide = [[x << bits | chance.getrandbits(bits) if x else 0 for x in row] for row in tile.a]
    return Tile(wide, tile.b, tile.c, tile.a_scale, tile.b_scale, tile.narrow)


def tiles_of(form, seeds, wider, chance):
    """(tile, places to look at)"""
    for iteration in range(16):
        for tile in extremes(form, iteration):
            yield tile, [(0, 0)]
        for index in range(seeds):
            tile = float_tile(form, seed_of(8, 179000000, index), index % 2, iteration)
            everywhere = list(product(range(ROWS), range(COLUMNS)))
            yield (widened(tile, wider, chance) if wider else tile), chance.sample(everywhere, 16)


def count_inexact(form, seeds, wider, chance):
    def shuffled(items):
        return chance.sample(items, len(items))

    places = inexact = 0
    for tile, looked_at in tiles_of(form, seeds, wider, chance):
        for row, column in looked_at:
            places += 1
            inexact += not is_exact(form, tile, row, column, shuffled)
    return places, inexact


def fused(pairs, addend):
    for a, b in pairs:
        addend = Fraction(float(a * b + addend))
    return addend


def count_inexact_fp64(seeds, chance):
    places = inexact = 0
    for index, iteration in product(range(seeds), range(4)):
        a, b, whole = fp64_tile(seed_of(13, 179000000, index), 0, iteration)
        for (row, row_scale), (column, column_scale) in product(a, b):
            pairs = chance.sample(list(zip(row, column)), QUAD)
            dot = sum(x * y for x, y in pairs)
            addend = -Fraction(float(dot)) if whole else chance.getrandbits(28) * row_scale * column_scale
            places += 1
            inexact += fused(pairs, addend) != dot + addend
    return places, inexact


def main():
    parser = argparse.ArgumentParser(description="Whether the tensor core families are exact under every model of an adder.")
    parser.add_argument("--seeds", type=int, default=4, help="tiles of each format and class (default: 4)")
    parser.add_argument("--wider", type=int, default=0, metavar="BITS", help="make A so many bits wider; must fail")
    options = parser.parse_args()
    chance = random.Random(1)
    counts = {form.name: count_inexact(form, options.seeds, options.wider, chance) for form in FORMATS}
    counts["fp64"] = count_inexact_fp64(options.seeds, chance)
    report = {name: {"places": places, "inexact": inexact} for name, (places, inexact) in counts.items()}
    print(json.dumps(report))
    return 1 if any(count["inexact"] for count in report.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
