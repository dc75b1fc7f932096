"""Family int_aes: AES-128 by the arithmetic of its field, and two chains of integer operations."""

from ..common import GOLDEN64, M32, M64, fold_all, rand32, rotl
from ..family import Family, Recipe


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


FAMILY = Family(
    "int_aes",
    2,
    cpu=Recipe(1, 32, int_aes_operands, int_aes_results),
    gpu=Recipe(1, 32, int_aes_operands, int_aes_results),
)
