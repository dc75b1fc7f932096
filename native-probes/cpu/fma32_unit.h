// fma32 on AVX2, FMA3 and F16C: eight binary32 lanes at a time.
#pragma once
#include "vector_unit.h"

namespace sentinel {

// One round per turn of the lanes.
constexpr uint32_t kFma32Rounds = kLanes;

template <class Tap>
struct Fma32Round {
  Tap& tap;
  const LaneTurn turn;
  uint32_t* results;
  __m256i digest;

  template <ResultKind kind>
  inline __attribute__((always_inline)) void keep(__m256i value) {
    const __m256i word = turn.to_logical(canonical_lanes<kind>(tap.template lanes<kind>(opaque(value))));
    store_lanes(results, word);
    results += kLanes;
    digest = fold_lanes_of(digest, word);
  }

  template <Operand which>
  inline __attribute__((always_inline)) __m256i operand(const uint32_t* words) {
    return opaque(tap.template operand<which>(turn.to_physical(load_lanes(words))));
  }

  inline __attribute__((always_inline)) void iterate(const uint32_t* operands) {
    const __m256i a = operand<Operand::kA>(operands);
    const __m256i b = operand<Operand::kB>(operands + kLanes);
    const __m256i c = operand<Operand::kC>(operands + 2 * kLanes);
    const __m256 x = _mm256_castsi256_ps(a), y = _mm256_castsi256_ps(b), z = _mm256_castsi256_ps(c);
    keep<ResultKind::kBinary32>(_mm256_castps_si256(_mm256_fmadd_ps(x, y, z)));
    keep<ResultKind::kBinary32>(_mm256_castps_si256(_mm256_add_ps(x, z)));
    keep<ResultKind::kBinary32>(_mm256_castps_si256(_mm256_mul_ps(x, y)));
    keep<ResultKind::kBits>(_mm256_cvtps_epi32(_mm256_castsi256_ps(integer_range_of(a))));
    keep<ResultKind::kBits>(_mm256_castps_si256(_mm256_cvtepi32_ps(b)));
    keep<ResultKind::kBinary16>(_mm256_cvtepu16_epi32(opaque(_mm256_cvtps_ph(z, _MM_FROUND_TO_NEAREST_INT))));
    keep<ResultKind::kBinary32>(_mm256_castps_si256(_mm256_cvtph_ps(low_halves_of(c))));
  }

  static inline __m256i integer_range_of(__m256i a) {
    const __m256i exponent = _mm256_and_si256(_mm256_srli_epi32(a, 23), _mm256_set1_epi32(63));
    const __m256i field = _mm256_slli_epi32(_mm256_add_epi32(exponent, _mm256_set1_epi32(94)), 23);
    return opaque(_mm256_or_si256(_mm256_and_si256(a, _mm256_set1_epi32(static_cast<int>(0x807fffffu))), field));
  }

  static inline __m128i low_halves_of(__m256i c) {
    const __m256i halves = _mm256_and_si256(c, _mm256_set1_epi32(0xffff));
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(halves, halves), 0x08);
    return opaque(_mm256_castsi256_si128(packed));
  }
};

template <class Tap>
UnitOutcome run_fma32(const UnitJob& job, Tap& tap) {
  set_default_control();
  return run_rounds(job, kFma32Rounds, [&](uint32_t r, uint32_t* lane_digests) {
    Fma32Round<Tap> round{tap, LaneTurn(r), job.results, _mm256_setzero_si256()};
    for (uint32_t i = 0; i < kFma32Shape.iterations; i++) {
      round.iterate(job.golden->operands + i * kFma32Shape.operand_words * kLanes);
    }
    store_lanes(lane_digests, round.digest);
  });
}

}  // namespace sentinel
