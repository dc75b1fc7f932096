// AES-128 (FIPS 197) in integer arithmetic. A state is four words, one per column, first byte lowest, as a
// little-endian load of the sixteen bytes gives them. Tables are computed by the compiler from the field's definition;
// there is nothing to mistype.
#pragma once
#include "platform.h"

namespace sentinel {

constexpr uint32_t kAesRounds = 10;

struct AesTables {
  uint8_t sbox[256];
  uint8_t inverse[256];

  constexpr AesTables() : sbox(), inverse() {
    // p runs through the non-zero elements as powers of 3 and q through their inverses, as powers of 1/3.
    uint8_t p = 1, q = 1;
    do {
      p = static_cast<uint8_t>(p ^ (p << 1) ^ ((p & 0x80) != 0 ? 0x1b : 0));
      q = static_cast<uint8_t>(q ^ (q << 1));
      q = static_cast<uint8_t>(q ^ (q << 2));
      q = static_cast<uint8_t>(q ^ (q << 4));
      if ((q & 0x80) != 0) q ^= 0x09;
      set(p, static_cast<uint8_t>(q ^ rotated(q, 1) ^ rotated(q, 2) ^ rotated(q, 3) ^ rotated(q, 4) ^ 0x63));
    } while (p != 1);
    set(0, 0x63);
  }

 private:
  static constexpr uint8_t rotated(uint8_t x, int n) { return static_cast<uint8_t>(x << n | x >> (8 - n)); }
  constexpr void set(uint8_t from, uint8_t to) {
    sbox[from] = to;
    inverse[to] = from;
  }
};

static constexpr AesTables kAesTables{};

SENTINEL_CORE uint32_t rotate_bytes(uint32_t w, uint32_t bytes) { return rotate_left32(w, 32 - 8 * bytes); }

// Times x in GF(2^8), four bytes at once.
SENTINEL_CORE uint32_t times_x(uint32_t w) { return (w & 0x7f7f7f7fu) << 1 ^ (w >> 7 & 0x01010101u) * 0x1bu; }

SENTINEL_CORE uint32_t mix_column(uint32_t w) {
  const uint32_t doubled = times_x(w);
  return doubled ^ rotate_bytes(doubled ^ w, 1) ^ rotate_bytes(w, 2) ^ rotate_bytes(w, 3);
}

SENTINEL_CORE uint32_t inverse_mix_column(uint32_t w) {
  const uint32_t quadrupled = times_x(times_x(w));
  return mix_column(w ^ quadrupled ^ rotate_bytes(quadrupled, 2));
}

// Replaces each byte by its table entry, byte r from word (c + r * direction) mod 4: SubBytes with ShiftRows, or their
// inverses.
SENTINEL_CORE uint32_t substitute(const uint8_t* table, const uint32_t* state, uint32_t c, uint32_t direction) {
  uint32_t out = 0;
  for (uint32_t r = 0; r < 4; r++)
    out |= static_cast<uint32_t>(table[state[(c + r * direction) & 3] >> (8 * r) & 0xff]) << (8 * r);
  return out;
}

SENTINEL_CORE void aes_expand_key(const uint32_t* key, uint32_t* round_keys) {
  uint32_t constant = 1;
  SENTINEL_UNROLLED
  for (uint32_t i = 0; i < 4 * (kAesRounds + 1); i++) {
    if (i < 4) {
      round_keys[i] = key[i];
      continue;
    }
    uint32_t w = round_keys[i - 1];
    if (i % 4 == 0) {
      const uint32_t column[4] = {w, w, w, w};
      w = rotate_bytes(substitute(kAesTables.sbox, column, 0, 1), 1) ^ constant;
      constant = times_x(constant);
    }
    round_keys[i] = round_keys[i - 4] ^ w;
  }
}

SENTINEL_CORE void aes_add_key(uint32_t* state, const uint32_t* round_key) {
  for (uint32_t c = 0; c < 4; c++) state[c] ^= round_key[c];
}

// round is 1..10; before round 1 the caller adds round key 0.
SENTINEL_CORE void aes_encrypt_round(uint32_t* state, const uint32_t* round_keys, uint32_t round) {
  uint32_t next[4];
  for (uint32_t c = 0; c < 4; c++) {
    const uint32_t w = substitute(kAesTables.sbox, state, c, 1);
    next[c] = (round < kAesRounds ? mix_column(w) : w) ^ round_keys[4 * round + c];
  }
  for (uint32_t c = 0; c < 4; c++) state[c] = next[c];
}

SENTINEL_CORE void aes_encrypt(uint32_t* state, const uint32_t* round_keys) {
  aes_add_key(state, round_keys);
  SENTINEL_UNROLLED
  for (uint32_t round = 1; round <= kAesRounds; round++) aes_encrypt_round(state, round_keys, round);
}

SENTINEL_CORE void aes_decrypt(uint32_t* state, const uint32_t* round_keys) {
  aes_add_key(state, round_keys + 4 * kAesRounds);
  SENTINEL_UNROLLED
  for (uint32_t round = kAesRounds; round-- > 0;) {
    uint32_t next[4];
    for (uint32_t c = 0; c < 4; c++) {
      const uint32_t w = substitute(kAesTables.inverse, state, c, 3) ^ round_keys[4 * round + c];
      next[c] = round > 0 ? inverse_mix_column(w) : w;
    }
    for (uint32_t c = 0; c < 4; c++) state[c] = next[c];
  }
}

}  // namespace sentinel
