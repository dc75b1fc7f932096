#!/usr/bin/env python3
"""Recomputes probe mismatches and known answers from the documented recipe alone (native-probes/README.md).

Shares no code with the probes: floating point is done here with unbounded integers, AES with the field's arithmetic.

    recompute_mismatch.py [--digests] [FILE]     JSON lines of mismatches (default: standard input)
    recompute_mismatch.py --known-answers FILE…  verifies committed answers
    recompute_mismatch.py --generate FAMILY EPOCH:INDEX…   prints a file of known answers

A mismatch is {"family", "epoch", "index", "lane", "iteration", "operands": […], "expected": […], "actual": […]} and, checked
where present, "differing_bits" (expected xor actual, word by word) and, with --digests, "expected_digest". Exit codes: 0 all
as recomputed, 1 something differs, 2 usage or unreadable input.
"""

import argparse
import itertools
import json
import sys

M32 = 0xFFFFFFFF
M64 = 0xFFFFFFFFFFFFFFFF
GOLDEN64 = 0x9E3779B97F4A7C15
FAMILIES = {"fma32": 1, "int_aes": 2, "fma64": 3, "cpu_reg": 4, "cpu_mem": 5}
PROBE_VERSION = {"fma32": 1, "int_aes": 1, "fma64": 1, "cpu_reg": 1, "cpu_mem": 1}
ITERATIONS = {"fma32": 1024, "int_aes": 32, "fma64": 1024, "cpu_reg": 128, "cpu_mem": 2752}
LANES = 8


# Seeds, generator, fold ----------------------------------------------------------------------------------------------------------

def mix64(x):
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & M64
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & M64
    return x ^ (x >> 31)


def seed_of(family, epoch, index):
    salt = mix64((FAMILIES[family] * GOLDEN64) & M64)
    return mix64(salt ^ (epoch << 32 | index))


def rand64(seed, lane, i):
    return mix64((seed + ((lane << 32 | i) + 1) * GOLDEN64) & M64)


def rand32(seed, lane, i):
    return rand64(seed, lane, i) >> 32


def rotl(x, n, width):
    n %= width
    return ((x << n) | (x >> (width - n))) & ((1 << width) - 1)


def fold(digest, word):
    return ((rotl(digest, 5, 32) ^ word) * 0x9E3779B1) & M32


def fold_all(words):
    digest = 0
    for word in words:
        digest = fold(digest, word)
    return digest


# Floating point: a finite value is an integer number of 2^-unit, so that sums and products are exact integers ---------------------

NAN = "nan"
INF = "inf"


def nearest_even(numerator, shift):
    if shift == 0:
        return numerator
    quotient, rest = numerator >> shift, numerator & ((1 << shift) - 1)
    half = 1 << (shift - 1)
    return quotient + (1 if rest > half or (rest == half and quotient % 2 == 1) else 0)


class Binary:
    """An interchange format of IEEE 754; 2^-unit is its least subnormal, or a fraction of it."""

    def __init__(self, exponent_bits, fraction_bits, unit):
        self.exponent_bits, self.fraction_bits, self.unit = exponent_bits, fraction_bits, unit
        self.sign = 1 << (exponent_bits + fraction_bits)
        self.special = (1 << exponent_bits) - 1
        self.bias = self.special >> 1
        self.canonical = self.sign - 1

    def decode(self, bits):
        """(sign, value): value is NAN, INF or a magnitude in units."""
        sign = 1 if bits & self.sign else 0
        exponent = bits >> self.fraction_bits & self.special
        fraction = bits & ((1 << self.fraction_bits) - 1)
        if exponent == self.special:
            return sign, NAN if fraction else INF
        if exponent:
            fraction += 1 << self.fraction_bits
        else:
            exponent = 1
        return sign, fraction << (exponent - self.bias - self.fraction_bits + self.unit)

    def encode(self, sign, magnitude, unit=None):
        """Bits of magnitude * 2^-unit, rounded once."""
        unit = self.unit if unit is None else unit
        top = self.sign if sign else 0
        if magnitude == 0:
            return top
        exponent = magnitude.bit_length() - 1 - unit  # floor of the binary logarithm
        exponent = max(exponent, 1 - self.bias)
        shift = unit + exponent - self.fraction_bits  # drops everything below the unit in the last place
        significand = nearest_even(magnitude, shift) if shift > 0 else magnitude << -shift
        if significand >> (self.fraction_bits + 1):
            significand >>= 1
            exponent += 1
        if exponent > self.bias:
            return self.infinity(sign)
        if significand >> self.fraction_bits == 0:
            return top | significand
        return top | (exponent + self.bias) << self.fraction_bits | significand & ((1 << self.fraction_bits) - 1)

    def infinity(self, sign):
        return (self.sign if sign else 0) | self.special << self.fraction_bits

    def fma(self, a, b, c):
        (sa, va), (sb, vb), (sc, vc) = self.decode(a), self.decode(b), self.decode(c)
        if NAN in (va, vb, vc):
            return self.canonical
        sp = sa ^ sb
        if INF in (va, vb):
            if 0 in (va, vb) or (vc == INF and sc != sp):
                return self.canonical
            return self.infinity(sp)
        if vc == INF:
            return c
        product = (va * vb) * (-1) ** sp  # units of 2^-(2 unit)
        total = product + (vc << self.unit) * (-1) ** sc
        if total == 0:
            return self.encode(1 if sp == 1 and sc == 1 and product == 0 and vc == 0 else 0, 0)
        return self.encode(1 if total < 0 else 0, abs(total), 2 * self.unit)

    def mul(self, a, b):
        (sa, va), (sb, vb) = self.decode(a), self.decode(b)
        if NAN in (va, vb) or (INF in (va, vb) and 0 in (va, vb)):
            return self.canonical
        return self.infinity(sa ^ sb) if INF in (va, vb) else self.encode(sa ^ sb, va * vb, 2 * self.unit)

    def add(self, a, b):
        (sa, va), (sb, vb) = self.decode(a), self.decode(b)
        if NAN in (va, vb) or (va == INF and vb == INF and sa != sb):
            return self.canonical
        if INF in (va, vb):
            return a if va == INF else b
        total = va * (-1) ** sa + vb * (-1) ** sb
        return self.encode(1 if total < 0 or (total == 0 and sa and sb and va == 0 and vb == 0) else 0, abs(total))

    def negated(self, a):
        return a ^ self.sign

    def to_int32(self, a):
        sign, value = self.decode(a)
        return nearest_even(value, self.unit) * (-1) ** sign & M32

    def from_int32(self, word):
        value = word - (1 << 32) if word >> 31 else word
        return self.encode(1 if value < 0 else 0, abs(value), 0)

    def to(self, other, a):
        """a in another format."""
        sign, value = self.decode(a)
        if value == NAN:
            return other.canonical
        return other.infinity(sign) if value == INF else other.encode(sign, value, self.unit)


B16 = Binary(5, 10, 24)
B32 = Binary(8, 23, 149)
B64 = Binary(11, 52, 1074)


# Family fma32 --------------------------------------------------------------------------------------------------------------------

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


# Family fma64: a binary64 is two words, low half first ---------------------------------------------------------------------------

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


# Family int_aes ------------------------------------------------------------------------------------------------------------------

def gf_mul(a, b):
    product = 0
    for bit in range(8):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(14, 7, -1):
        if product >> bit & 1:
            product ^= 0x11B << bit - 8
    return product


def make_sbox():
    table = []
    for x in range(256):
        inverse = next((y for y in range(256) if gf_mul(x, y) == 1), 0)
        table.append(inverse ^ rotl(inverse, 1, 8) ^ rotl(inverse, 2, 8) ^ rotl(inverse, 3, 8) ^ rotl(inverse, 4, 8) ^ 0x63)
    return table


SBOX = make_sbox()
TIMES2 = [gf_mul(x, 2) for x in range(256)]
TIMES3 = [gf_mul(x, 3) for x in range(256)]


def to_bytes(words):
    return [word >> 8 * k & 0xFF for word in words for k in range(4)]


def to_words(octets):
    return [int.from_bytes(bytes(octets[k:k + 4]), "little") for k in range(0, len(octets), 4)]


def expand_key(key):
    columns = [key[4 * k:4 * k + 4] for k in range(4)]
    rcon = 1
    for k in range(4, 44):
        column = columns[-1]
        if k % 4 == 0:
            column = [SBOX[x] for x in column[1:] + column[:1]]
            column[0] ^= rcon
            rcon = gf_mul(rcon, 2)
        columns.append([x ^ y for x, y in zip(columns[k - 4], column)])
    return [sum(columns[4 * r:4 * r + 4], []) for r in range(11)]


def aes_rounds(round_keys, block):
    """The sixteen bytes after each of the ten rounds."""
    state = [x ^ y for x, y in zip(block, round_keys[0])]
    states = []
    for r in range(1, 11):
        state = [SBOX[state[(4 * (n // 4 + n % 4) + n % 4) % 16]] for n in range(16)]
        if r < 10:
            mixed = []
            for k in range(0, 16, 4):
                s = state[k:k + 4]
                mixed += [TIMES2[s[n]] ^ TIMES3[s[(n + 1) % 4]] ^ s[(n + 2) % 4] ^ s[(n + 3) % 4] for n in range(4)]
            state = mixed
        state = [x ^ y for x, y in zip(state, round_keys[r])]
        states.append(state)
    return states


def chain32(x):
    for _ in range(16):
        x ^= x << 13 & M32
        x ^= x >> 17
        x ^= x << 5 & M32
        x = x * 0x9E3779B1 & M32
        x = rotl(x, x >> 27, 32) + bin(x).count("1") & M32
    return x


def chain64(x):
    for _ in range(16):
        x ^= x >> 12
        x ^= x << 25 & M64
        x ^= x >> 27
        x = x * 0x2545F4914F6CDD1D & M64
        x = rotl(x, bin(x).count("1"), 64)
        if x & 1:
            x ^= x * GOLDEN64 >> 64
    return x


def int_aes_operands(seed, lane, i):
    return [rand32(seed, lane, 16 * i + k) for k in range(9)]


def int_aes_results(operands):
    key, nonce, counter, start = operands[0:4], operands[4:7], operands[7], operands[8]
    round_keys = expand_key(to_bytes(key))
    blocks = [to_bytes(nonce) + list((counter + j & M32).to_bytes(4, "big")) for j in range(4)]
    states = [aes_rounds(round_keys, block) for block in blocks]
    results = []
    for r in range(10):
        words = [to_words(states[j][r]) for j in range(4)]
        results.append(fold_all(fold_all(words[j][k] for j in range(4)) for k in range(4)))
    plain = [to_words(block) for block in blocks]  # decrypt(encrypt(x)) = x
    results += [fold_all(plain[j][k] for j in range(4)) for k in range(4)]
    wide = chain64(counter << 32 | start)
    return results + [chain32(start), wide & M32, wide >> 32]


# Family cpu_reg ------------------------------------------------------------------------------------------------------------------

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


# Family cpu_mem: the words of a block one by one, as they are read ------------------------------------------------------------------

def cpu_mem_operands(seed, lane, i):
    return [rand32(seed, lane, 2 * i), rand32(seed, lane, 2 * i + 1) | 1]


def sums(words):
    partial = list(itertools.accumulate(words))
    return [partial[-1] & M32, sum(partial) & M32, 0]


def cpu_mem_results(operands):
    base, step = operands
    column = [base + j * step & M32 for j in range(64)]
    upwards, downwards = sums(column), sums([M32 - word for word in reversed(column)])
    return upwards + downwards + upwards


# Checks --------------------------------------------------------------------------------------------------------------------------

RECIPES = {
    "fma32": (fma32_operands, fma32_results),
    "int_aes": (int_aes_operands, int_aes_results),
    "fma64": (fma64_operands, fma64_results),
    "cpu_reg": (cpu_reg_operands, cpu_reg_results),
    "cpu_mem": (cpu_mem_operands, cpu_mem_results),
}


def lane_digest(family, seed, lane):
    operands, results = RECIPES[family]
    digest = 0
    for i in range(ITERATIONS[family]):
        for word in results(operands(seed, lane, i)):
            digest = fold(digest, word)
    return digest


def sm_digest(family, epoch, index):
    seed = seed_of(family, epoch, index)
    return fold_all(lane_digest(family, seed, lane) for lane in range(LANES)) or 1


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


def check_mismatch(record, with_digests):
    """Differences between a reported mismatch and what the recipe gives, as sentences; empty if there is none."""
    family = field(record, "family", str)
    if family not in FAMILIES:
        raise Unreadable(f"unknown family {family}")
    epoch, index, lane, iteration = (field(record, name, int) for name in ("epoch", "index", "lane", "iteration"))
    if not (0 <= epoch <= M32 and 0 <= index <= M32 and 0 <= lane < LANES and 0 <= iteration <= ITERATIONS[family]):
        raise Unreadable("epoch, index, lane or iteration out of range")
    seed = seed_of(family, epoch, index)
    make_operands, make_results = RECIPES[family]
    if iteration == ITERATIONS[family]:  # every word was right, the lane's digest was not
        operands, expected = [], [lane_digest(family, seed, lane)]
    else:
        operands = make_operands(seed, lane, iteration)
        expected = make_results(operands)
    actual = field(record, "actual", list)
    wrong = []

    def compare(name, reported, recomputed):
        if reported != recomputed:
            wrong.append(f"{name} {hexadecimal(reported)}, recomputed {hexadecimal(recomputed)}")

    compare("operands", field(record, "operands", list), operands)
    compare("expected", field(record, "expected", list), expected)
    if len(actual) != len(expected):
        return wrong + [f"actual has {len(actual)} words, not {len(expected)}"]
    bits = [x ^ y for x, y in zip(expected, actual)]
    if not any(bits):
        wrong.append("actual is what was expected: no mismatch")
    if "differing_bits" in record:
        compare("differing_bits", field(record, "differing_bits", list), bits)
    if with_digests and "expected_digest" in record:
        compare("expected_digest", [field(record, "expected_digest", int)], [sm_digest(family, epoch, index)])
    return wrong


def check_lines(lines, with_digests):
    checked = bad = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        checked += 1
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise Unreadable("not an object")
            wrong = check_mismatch(record, with_digests)
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


def known_answers(family, pairs):
    answers = [{"epoch": e, "index": i, "digest": f"{sm_digest(family, e, i):08x}"} for e, i in pairs]
    return {"family": family, "probe_version": PROBE_VERSION[family], "answers": answers}


def verify_known_answers(path):
    with open(path, encoding="utf-8") as file:
        stored = json.load(file)
    family = stored["family"]
    again = known_answers(family, [(answer["epoch"], answer["index"]) for answer in stored["answers"]])
    print(f"{path}: {len(stored['answers'])} answers {'as recomputed' if again == stored else 'DIFFER'}")
    return 0 if again == stored else 1


def main():
    parser = argparse.ArgumentParser(description="Recomputes probe mismatches and known answers from the recipe alone.")
    parser.add_argument("file", nargs="?", help="JSON lines of mismatches; standard input if absent")
    parser.add_argument("--digests", action="store_true", help="also recompute expected_digest (seconds per line)")
    parser.add_argument("--known-answers", nargs="+", metavar="FILE", help="verify files of known answers")
    parser.add_argument("--generate", nargs="+", metavar=("FAMILY", "EPOCH:INDEX"), help="print a file of known answers")
    options = parser.parse_args()
    if options.generate:
        family, pairs = options.generate[0], [tuple(map(int, pair.split(":"))) for pair in options.generate[1:]]
        if family not in FAMILIES or not pairs:
            parser.error("--generate takes a family (" + ", ".join(FAMILIES) + ") and seeds as EPOCH:INDEX")
        print(json.dumps(known_answers(family, pairs), indent=2))
        return 0
    if options.known_answers:
        return max(verify_known_answers(path) for path in options.known_answers)
    if options.file:
        with open(options.file, encoding="utf-8") as lines:
            return check_lines(lines, options.digests)
    return check_lines(sys.stdin, options.digests)


if __name__ == "__main__":
    sys.exit(main())
