"""Seeds, the counter-based generator and the fold, as native-probes/docs/definition.md defines them."""

M32 = 0xFFFFFFFF
M64 = 0xFFFFFFFFFFFFFFFF
GOLDEN64 = 0x9E3779B97F4A7C15


def mix64(x):
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & M64
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & M64
    return x ^ (x >> 31)


def seed_of(number, epoch, index):
    """number: of the family."""
    salt = mix64((number * GOLDEN64) & M64)
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


def salted(word, place):
    """What a place adds to all its words."""
    return word + place * 0x9E3779B1 & M32
