#!/usr/bin/env python3
"""Recomputes probe mismatches and known answers from the documented recipe alone (native-probes/docs/definition.md).

Shares no code with the probes: floating point is done here with unbounded integers, AES with the field's arithmetic.

    recompute_mismatch.py [--backend cpu|gpu] [--digests] [FILE]   JSON lines of mismatches (default: standard input)
    recompute_mismatch.py --known-answers FILE… [--part K/N]       verifies committed answers, or only every N-th from the K-th
    recompute_mismatch.py [--backend cpu|gpu] --make FAMILY…       writes native-probes/known-answers/BACKEND/FAMILY.json
    recompute_mismatch.py [--backend cpu|gpu] --operands FAMILY EPOCH INDEX LANE ITERATION   prints the operand words

A mismatch is {"family", "epoch", "index", "lane", "iteration", "operands": […], "expected": […], "actual": […]} and, checked
where present, "differing_bits" (expected xor actual, word by word) and, with --digests, "expected_digest". Of a GPU, the wrong
result lies in the 32 iterations around "iteration": there are no operands, and the words are the lane's running digest after
them. Exit codes: 0 all as recomputed, 1 something differs, 2 usage or unreadable input.
"""

import argparse
import json
import sys

from probe_oracle import answers, mismatches, registry
from probe_oracle.family import LANES


def part_of(text):
    first, count = map(int, text.split("/"))
    if not 0 <= first < count:
        raise ValueError
    return first, count


def make(parser, folder, backend, families):
    unknown = [name for name in families if name not in registry.names_of(backend)]
    if unknown:
        parser.error(f"no family {unknown[0]} on backend {backend}: there are " + ", ".join(registry.names_of(backend)))
    refusals = [refusal for refusal in (answers.make(folder, name, backend) for name in families) if refusal]
    for refusal in refusals:
        print(refusal, file=sys.stderr)
    return 1 if refusals else 0


def print_operands(parser, backend, family, numbers):
    recipe = family in registry.FAMILIES and registry.FAMILIES[family].recipe(backend)
    if not recipe or not all(number.isdigit() for number in numbers):
        parser.error(f"expected a family of backend {backend} and four numbers")
    epoch, index, lane, iteration = map(int, numbers)
    print(json.dumps(recipe.operands(registry.FAMILIES[family].seed(epoch, index), lane, iteration)))
    return 0


def main():
    parser = argparse.ArgumentParser(description="Recomputes probe mismatches and known answers from the recipe alone.")
    parser.add_argument("file", nargs="?", help="JSON lines of mismatches; standard input if absent")
    parser.add_argument("--backend", choices=LANES, default="cpu", help="whose shapes (default: cpu)")
    parser.add_argument("--digests", action="store_true", help="also recompute expected_digest (seconds per line)")
    parser.add_argument("--known-answers", nargs="+", metavar="FILE", help="verify files of known answers")
    parser.add_argument("--part", type=part_of, default=(0, 1), metavar="K/N", help="of each file every N-th answer from the K-th")
    parser.add_argument("--make", nargs="+", metavar="FAMILY", help="write the family's file of known answers")
    parser.add_argument("--operands", nargs=5, metavar=("FAMILY", "EPOCH", "INDEX", "LANE", "ITERATION"), help="print operands")
    parser.add_argument("--folder", default=answers.FOLDER, help="where --make writes (default: the committed answers)")
    options = parser.parse_args()
    if options.operands:
        return print_operands(parser, options.backend, options.operands[0], options.operands[1:])
    if options.make:
        return make(parser, options.folder, options.backend, options.make)
    if options.known_answers:
        return 0 if all([answers.verify(path, options.part) for path in options.known_answers]) else 1
    if options.file:
        with open(options.file, encoding="utf-8") as lines:
            return mismatches.check_lines(lines, options.backend, options.digests)
    return mismatches.check_lines(sys.stdin, options.backend, options.digests)


if __name__ == "__main__":
    sys.exit(main())
