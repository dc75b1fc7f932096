// Family int_aes: an AES-128 counter-mode chain with a digest after every round, its decryption, and two
// xorshift-multiply chains with data-dependent rotation, population count, high products and branches.
#pragma once
#include "aes128.h"
#include "fold.h"
#include "random.h"

namespace sentinel {

constexpr uint32_t kAesBlocks = 4;
constexpr uint32_t kChainSteps = 16;
constexpr uint64_t kChain64Multiplier = 0x2545f4914f6cdd1du;

// Words of the operands: key, nonce, counter, start of the chains.
constexpr uint32_t kKey = 0;
constexpr uint32_t kNonce = 4;
constexpr uint32_t kCounter = 7;
constexpr uint32_t kChainStart = 8;

// Words of the results.
constexpr uint32_t kRoundDigests = 0;
constexpr uint32_t kDecrypted = 10;
constexpr uint32_t kChain32 = 14;
constexpr uint32_t kChain64 = 15;

SENTINEL_CORE void int_aes_operands(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t* operands) {
  for (uint32_t k = 0; k < kIntAesShape.operand_words; k++) operands[k] = rand32(seed, lane, iteration * 16 + k);
}

SENTINEL_CORE uint32_t swap_bytes32(uint32_t w) { return w << 24 | (w & 0xff00u) << 8 | (w >> 8 & 0xff00u) | w >> 24; }

// The counter is the last word of the block, most significant byte first.
SENTINEL_CORE void counter_block(const uint32_t* operands, uint32_t j, uint32_t* block) {
  for (uint32_t k = 0; k < 3; k++) block[k] = operands[kNonce + k];
  block[3] = swap_bytes32(operands[kCounter] + j);
}

SENTINEL_CORE uint32_t population_count32(uint32_t x) {
#if defined(__CUDA_ARCH__)
  return __popc(x);
#endif
  x -= x >> 1 & 0x55555555u;
  x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
  return ((x + (x >> 4)) & 0x0f0f0f0fu) * 0x01010101u >> 24;
}

// High 64 bits of the product, from products of 32-bit halves.
SENTINEL_CORE uint64_t multiply_high64(uint64_t a, uint64_t b) {
  const uint64_t a0 = a & 0xffffffffu, a1 = a >> 32, b0 = b & 0xffffffffu, b1 = b >> 32;
  const uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
  const uint64_t carry = (middle & 0xffffffffu) + a0 * b1;
  return a1 * b1 + (middle >> 32) + (carry >> 32);
}

SENTINEL_CORE uint32_t chain32(uint32_t x) {
  for (uint32_t step = 0; step < kChainSteps; step++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    x *= kFoldMultiplier;
    x = rotate_left32(x, x >> 27) + population_count32(x);
  }
  return x;
}

SENTINEL_CORE uint64_t chain64(uint64_t x) {
  for (uint32_t step = 0; step < kChainSteps; step++) {
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    x *= kChain64Multiplier;
    x = rotate_left64(
        x, population_count32(static_cast<uint32_t>(x)) + population_count32(static_cast<uint32_t>(x >> 32)));
    if ((x & 1) != 0) x ^= multiply_high64(x, kGolden64);
  }
  return x;
}

SENTINEL_CORE void int_aes_results(const uint32_t* operands, uint32_t* results) {
  uint32_t round_keys[4 * (kAesRounds + 1)];
  uint32_t digests[kAesRounds][4] = {};
  uint32_t decrypted[4] = {};
  aes_expand_key(operands + kKey, round_keys);
  for (uint32_t j = 0; j < kAesBlocks; j++) {
    uint32_t state[4];
    counter_block(operands, j, state);
    aes_add_key(state, round_keys);
    SENTINEL_UNROLLED
    for (uint32_t round = 1; round <= kAesRounds; round++) {
      aes_encrypt_round(state, round_keys, round);
      for (uint32_t k = 0; k < 4; k++) digests[round - 1][k] = fold(digests[round - 1][k], state[k]);
    }
    aes_decrypt(state, round_keys);
    for (uint32_t k = 0; k < 4; k++) decrypted[k] = fold(decrypted[k], state[k]);
  }
  SENTINEL_UNROLLED
  for (uint32_t round = 0; round < kAesRounds; round++) {
    uint32_t digest = 0;
    for (uint32_t k = 0; k < 4; k++) digest = fold(digest, digests[round][k]);
    results[kRoundDigests + round] = digest;
  }
  for (uint32_t k = 0; k < 4; k++) results[kDecrypted + k] = decrypted[k];
  results[kChain32] = chain32(operands[kChainStart]);
  const uint64_t wide = chain64(static_cast<uint64_t>(operands[kCounter]) << 32 | operands[kChainStart]);
  results[kChain64] = static_cast<uint32_t>(wide);
  results[kChain64 + 1] = static_cast<uint32_t>(wide >> 32);
}

}  // namespace sentinel
