"""Reported mismatches against what the recipe gives."""

import json
import sys

from .common import M32
from .family import GPU_BLOCK, LANES
from .registry import FAMILIES, names_of


class Unreadable(Exception):
    """The input is not a mismatch."""


def field(record, name, kind):
    if name not in record:
        raise Unreadable(f"no field {name}")
    value = record[name]
    words = kind is list and isinstance(value, list) and all(type(x) is int and 0 <= x <= M32 for x in value)
    if not words and (kind is list or type(value) is not kind):
        raise Unreadable(f"{name} is not {'a list of 32-bit words' if kind is list else 'of type ' + kind.__name__}")
    return value


def hexadecimal(words):
    return "[" + " ".join(f"{word:08x}" for word in words) + "]"


def family_of(record, backend):
    name = field(record, "family", str)
    if name not in names_of(backend):
        raise Unreadable(f"no results of a family {name} on backend {backend} can be recomputed")
    return FAMILIES[name]


def recompute(family, backend, seed, lane, iteration, reported):
    """(operands, expected). A CPU keeps its results; a GPU knows its running digest after each 32 iterations, and the final one
    alone of what its table had no room for."""
    recipe = family.recipe(backend)
    if iteration == recipe.iterations:  # every word was right, the lane's digest was not
        return [], [family.lane_digest(backend, seed, lane)]
    if backend == "gpu":
        digests = family.block_digests(backend, seed, lane)
        return [], digests[-1:] if reported == digests[-1:] else [digests[iteration // GPU_BLOCK]]
    operands = recipe.operands(seed, lane, iteration)
    return operands, recipe.results(operands)


def check_mismatch(record, backend, with_digests):
    """Differences between a reported mismatch and what the recipe gives, as sentences; empty if there is none."""
    family = family_of(record, backend)
    epoch, index, lane, iteration = (field(record, name, int) for name in ("epoch", "index", "lane", "iteration"))
    in_range = 0 <= lane < LANES[backend] and 0 <= iteration <= family.recipe(backend).iterations
    if not (0 <= epoch <= M32 and 0 <= index <= M32 and in_range):
        raise Unreadable("epoch, index, lane or iteration out of range")
    reported = field(record, "expected", list)
    operands, expected = recompute(family, backend, family.seed(epoch, index), lane, iteration, reported)
    actual = field(record, "actual", list)
    wrong = []

    def compare(name, reported, recomputed):
        if reported != recomputed:
            wrong.append(f"{name} {hexadecimal(reported)}, recomputed {hexadecimal(recomputed)}")

    compare("operands", field(record, "operands", list), operands)
    compare("expected", reported, expected)
    if len(actual) != len(expected):
        return wrong + [f"actual has {len(actual)} words, not {len(expected)}"]
    bits = [x ^ y for x, y in zip(expected, actual)]
    if not any(bits):
        wrong.append("actual is what was expected: no mismatch")
    if "differing_bits" in record:
        compare("differing_bits", field(record, "differing_bits", list), bits)
    if with_digests and "expected_digest" in record:
        digest = family.sm_digest(backend, epoch, index)
        compare("expected_digest", [field(record, "expected_digest", int)], [digest])
    return wrong


def check_lines(lines, backend, with_digests):
    """Prints what differs; the exit code."""
    checked = bad = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        checked += 1
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise Unreadable("not an object")
            wrong = check_mismatch(record, backend, with_digests)
        except (ValueError, Unreadable) as error:
            print(f"line {number}: {error}", file=sys.stderr)
            return 2
        for sentence in wrong:
            print(f"line {number}: {sentence}", file=sys.stderr)
        bad += 1 if wrong else 0
    print(json.dumps({"checked": checked, "bad": bad}))
    if checked == 0:
        print("no mismatch was given", file=sys.stderr)
        return 2
    return 1 if bad else 0
