// What the kernels of all families share. Everything here is compiled for AVX2 or more and only called after cpuid
// allowed it. Objects for different instruction sets include it: all of it has to be static or always inlined, since of
// an inline function that two objects define the linker keeps one, which the other's CPU might not be able to execute.
//
// A Tap sees every operand on its way to the instruction, every result on its way to the fold, and every address that is
// loaded from. The release's Tap hands them back untouched.
#pragma once
#include <immintrin.h>

#include "../core/fold.h"
#include "tap.h"
#include "unit.h"

namespace sentinel {

struct DirectTap {
  template <Operand which>
  __m256i operand(__m256i value) {
    return value;
  }
  // Words from `offset` on, of a buffer of `size` words.
  uint32_t* address(uint32_t* buffer, uint32_t offset, uint32_t size) {
    (void)size;
    return buffer + offset;
  }
  template <ResultKind kind>
  inline __attribute__((always_inline)) __m256i lanes(__m256i value) {
    return value;
  }
  // Eight binary64 results as their low and high words.
  void wide_lanes(__m256i& low, __m256i& high) {
    (void)low;
    (void)high;
  }
  __m128i block(__m128i value) { return value; }
  uint64_t scalar(uint64_t value) { return value; }
};

// The compiler must neither know a value nor drop the work that made it.
inline __attribute__((always_inline)) __m256i opaque(__m256i value) {
  asm volatile("" : "+x"(value));
  return value;
}
inline __attribute__((always_inline)) __m256 opaque(__m256 value) {
  asm volatile("" : "+x"(value));
  return value;
}
inline __attribute__((always_inline)) __m256d opaque(__m256d value) {
  asm volatile("" : "+x"(value));
  return value;
}
inline __attribute__((always_inline)) __m128i opaque(__m128i value) {
  asm volatile("" : "+x"(value));
  return value;
}
inline __attribute__((always_inline)) uint64_t opaque(uint64_t value) {
  asm volatile("" : "+r"(value));
  return value;
}

// Round to nearest even, subnormals kept, no traps.
static inline void set_default_control() { _mm_setcsr(0x1f80); }

static inline __m256i load_lanes(const uint32_t* words) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words));
}
static inline void store_lanes(uint32_t* words, __m256i value) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(words), value);
}

// NaNs by integer comparison: (x & 0x7fffffff) > infinity.
template <ResultKind kind>
static inline __m256i canonical_lanes(__m256i value) {
  if (kind == ResultKind::kBits) return value;
  const int infinity = kind == ResultKind::kBinary32 ? 0x7f800000 : 0x7c00;
  const __m256i nan = _mm256_set1_epi32(kind == ResultKind::kBinary32 ? 0x7fffffff : 0x7fff);
  const __m256i is_nan = _mm256_cmpgt_epi32(_mm256_and_si256(value, nan), _mm256_set1_epi32(infinity));
  return _mm256_blendv_epi8(value, nan, is_nan);
}

static inline __m256i fold_lanes_of(__m256i digest, __m256i word) {
  const __m256i rotated = _mm256_or_si256(_mm256_slli_epi32(digest, 5), _mm256_srli_epi32(digest, 27));
  return _mm256_mullo_epi32(_mm256_xor_si256(rotated, word), _mm256_set1_epi32(static_cast<int>(kFoldMultiplier)));
}

// Moves logical lane (p + turn) mod 8 to physical lane p, so that over eight turns every physical lane computes every
// vector.
struct LaneTurn {
  __m256i there, back;
  explicit LaneTurn(uint32_t turn) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i amount = _mm256_set1_epi32(static_cast<int>(turn));
    there = _mm256_and_si256(_mm256_add_epi32(lane, amount), _mm256_set1_epi32(7));
    back = _mm256_and_si256(_mm256_sub_epi32(lane, amount), _mm256_set1_epi32(7));
  }
  __m256i to_physical(__m256i value) const { return _mm256_permutevar8x32_epi32(value, there); }
  __m256i to_logical(__m256i value) const { return _mm256_permutevar8x32_epi32(value, back); }
};

// Runs rounds until one disagrees with the golden. The result buffer is poisoned first, so that a store that did not
// happen shows.
template <class Round>
static inline UnitOutcome run_rounds(const UnitJob& job, uint32_t rounds, Round&& round) {
  UnitOutcome outcome{};
  const FamilyShape shape = shape_of(job.family);
  for (uint32_t r = 0; r < rounds; r++) {
    for (uint32_t i = 0; i < shape.iterations * shape.result_words; i++) {
      store_lanes(job.results + i * kLanes, _mm256_set1_epi32(0x5eed5eed));
    }
    round(r, outcome.lane_digests);
    outcome.rounds = r + 1;
    uint32_t difference = 0;
    for (uint32_t lane = 0; lane < kLanes; lane++)
      difference |= outcome.lane_digests[lane] ^ job.golden->lane_digests[lane];
    if (difference != 0) break;
  }
  return outcome;
}

}  // namespace sentinel
