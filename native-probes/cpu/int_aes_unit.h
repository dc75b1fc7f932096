// int_aes on AES-NI, AVX2 integer lanes and the scalar integer unit.
#pragma once
#include "../core/int_aes.h"
#include "vector_unit.h"

namespace sentinel {

// One round per turn of the lanes of the 32-bit chains.
constexpr uint32_t kIntAesRounds = kLanes;

// AESENC and its kin want round keys; AESDEC wants those of the equivalent inverse cipher.
struct AesKeys {
  __m128i encrypt[kAesRounds + 1];
  __m128i decrypt[kAesRounds + 1];
};

template <int constant>
inline __attribute__((always_inline)) __m128i next_round_key(__m128i key) {
  const __m128i assist = _mm_shuffle_epi32(opaque(_mm_aeskeygenassist_si128(key, constant)), 0xff);
  key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
  key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
  return _mm_xor_si128(key, assist);
}

inline void expand_keys(__m128i key, AesKeys& keys) {
  __m128i* k = keys.encrypt;
  k[0] = key;
  k[1] = next_round_key<0x01>(k[0]);
  k[2] = next_round_key<0x02>(k[1]);
  k[3] = next_round_key<0x04>(k[2]);
  k[4] = next_round_key<0x08>(k[3]);
  k[5] = next_round_key<0x10>(k[4]);
  k[6] = next_round_key<0x20>(k[5]);
  k[7] = next_round_key<0x40>(k[6]);
  k[8] = next_round_key<0x80>(k[7]);
  k[9] = next_round_key<0x1b>(k[8]);
  k[10] = next_round_key<0x36>(k[9]);
  keys.decrypt[0] = k[10];
  for (uint32_t r = 1; r < kAesRounds; r++) keys.decrypt[r] = opaque(_mm_aesimc_si128(k[kAesRounds - r]));
  keys.decrypt[kAesRounds] = k[0];
}

inline __attribute__((always_inline)) __m128i fold_block(__m128i digest, __m128i word) {
  const __m128i rotated = _mm_or_si128(_mm_slli_epi32(digest, 5), _mm_srli_epi32(digest, 27));
  return _mm_mullo_epi32(_mm_xor_si128(rotated, word), _mm_set1_epi32(static_cast<int>(kFoldMultiplier)));
}

inline uint32_t fold_words(__m128i digests) {
  alignas(16) uint32_t words[4];
  _mm_store_si128(reinterpret_cast<__m128i*>(words), digests);
  uint32_t digest = 0;
  for (uint32_t k = 0; k < 4; k++) digest = fold(digest, words[k]);
  return digest;
}

// The counter-mode chain of one lane and its decryption. operands and results have a stride of kLanes words.
template <class Tap>
void run_aes(const uint32_t* operands, uint32_t* results, Tap& tap) {
  uint32_t words[kIntAesShape.operand_words];
  for (uint32_t w = 0; w < kIntAesShape.operand_words; w++) words[w] = operands[w * kLanes];
  AesKeys keys;
  expand_keys(opaque(_mm_loadu_si128(reinterpret_cast<const __m128i*>(words + kKey))), keys);

  __m128i state[kAesBlocks];
  for (uint32_t j = 0; j < kAesBlocks; j++) {
    uint32_t block[4];
    counter_block(words, j, block);
    state[j] = _mm_xor_si128(opaque(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block))), keys.encrypt[0]);
  }
  for (uint32_t round = 1; round <= kAesRounds; round++) {
    __m128i digests = _mm_setzero_si128();
    for (uint32_t j = 0; j < kAesBlocks; j++) {
      state[j] = round < kAesRounds ? _mm_aesenc_si128(state[j], keys.encrypt[round])
                                    : _mm_aesenclast_si128(state[j], keys.encrypt[round]);
      state[j] = tap.block(opaque(state[j]));
      digests = fold_block(digests, state[j]);
    }
    results[(kRoundDigests + round - 1) * kLanes] = fold_words(digests);
  }

  __m128i decrypted = _mm_setzero_si128();
  for (uint32_t j = 0; j < kAesBlocks; j++) {
    __m128i block = _mm_xor_si128(state[j], keys.decrypt[0]);
    for (uint32_t round = 1; round < kAesRounds; round++) {
      block = tap.block(opaque(_mm_aesdec_si128(block, keys.decrypt[round])));
    }
    block = tap.block(opaque(_mm_aesdeclast_si128(block, keys.decrypt[kAesRounds])));
    decrypted = fold_block(decrypted, block);
  }
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words), decrypted);
  for (uint32_t k = 0; k < 4; k++) results[(kDecrypted + k) * kLanes] = words[k];
}

// Bytes are counted through a table of nibbles (VPSHUFB) and summed by multiply-add.
inline __m256i population_count_lanes(__m256i x) {
  const __m256i counts =
      _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i nibble = _mm256_set1_epi8(0x0f);
  const __m256i low = _mm256_shuffle_epi8(counts, _mm256_and_si256(x, nibble));
  const __m256i high = _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi32(x, 4), nibble));
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_add_epi8(low, high), _mm256_set1_epi8(1));
  return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

template <class Tap>
__m256i chain32_lanes(__m256i x, Tap& tap) {
  const __m256i multiplier = _mm256_set1_epi32(static_cast<int>(kFoldMultiplier));
  for (uint32_t step = 0; step < kChainSteps; step++) {
    x = _mm256_xor_si256(x, _mm256_slli_epi32(x, 13));
    x = _mm256_xor_si256(x, _mm256_srli_epi32(x, 17));
    x = _mm256_xor_si256(x, _mm256_slli_epi32(x, 5));
    x = _mm256_mullo_epi32(x, multiplier);
    const __m256i amount = _mm256_srli_epi32(x, 27);
    const __m256i rest = _mm256_sub_epi32(_mm256_set1_epi32(32), amount);
    const __m256i rotated = _mm256_or_si256(_mm256_sllv_epi32(x, amount), _mm256_srlv_epi32(x, rest));
    x = tap.template lanes<ResultKind::kBits>(opaque(_mm256_add_epi32(rotated, population_count_lanes(x))));
  }
  return x;
}

template <class Tap>
uint64_t chain64_scalar(uint64_t x, Tap& tap) {
  for (uint32_t step = 0; step < kChainSteps; step++) {
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    x = opaque(x * kChain64Multiplier);
    x = rotate_left64(x, static_cast<uint32_t>(_mm_popcnt_u64(x)));
    if ((x & 1) != 0) x ^= opaque(static_cast<uint64_t>(static_cast<unsigned __int128>(x) * kGolden64 >> 64));
    x = tap.scalar(opaque(x));
  }
  return x;
}

template <class Tap>
void iterate_int_aes(const uint32_t* operands, uint32_t* results, const LaneTurn& turn, Tap& tap) {
  for (uint32_t lane = 0; lane < kLanes; lane++) run_aes(operands + lane, results + lane, tap);
  const __m256i start = opaque(turn.to_physical(load_lanes(operands + kChainStart * kLanes)));
  store_lanes(results + kChain32 * kLanes, turn.to_logical(chain32_lanes(start, tap)));
  for (uint32_t lane = 0; lane < kLanes; lane++) {
    const uint64_t high = operands[kCounter * kLanes + lane];
    const uint64_t wide = chain64_scalar(opaque(high << 32 | operands[kChainStart * kLanes + lane]), tap);
    results[kChain64 * kLanes + lane] = static_cast<uint32_t>(wide);
    results[(kChain64 + 1) * kLanes + lane] = static_cast<uint32_t>(wide >> 32);
  }
}

template <class Tap>
UnitOutcome run_int_aes(const UnitJob& job, Tap& tap) {
  return run_rounds(job, kIntAesRounds, [&](uint32_t r, uint32_t* lane_digests) {
    const LaneTurn turn(r);
    __m256i digest = _mm256_setzero_si256();
    for (uint32_t i = 0; i < kIntAesShape.iterations; i++) {
      uint32_t* results = job.results + i * kIntAesShape.result_words * kLanes;
      iterate_int_aes(job.golden->operands + i * kIntAesShape.operand_words * kLanes, results, turn, tap);
      for (uint32_t w = 0; w < kIntAesShape.result_words; w++)
        digest = fold_lanes_of(digest, load_lanes(results + w * kLanes));
    }
    store_lanes(lane_digests, digest);
  });
}

}  // namespace sentinel
