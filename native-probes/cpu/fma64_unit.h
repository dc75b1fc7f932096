// fma64 on AVX2 and FMA3: eight binary64 lanes as two vectors of four.
#pragma once
#include "../core/float64.h"
#include "vector_unit.h"

namespace sentinel {

// A lane goes to place (lane - turn) mod 8; two of the eight places share each of the four positions of a vector. These
// turns bring every lane to all four.
constexpr uint32_t kFma64Turns[] = {0, 1, 4, 5};
constexpr uint32_t kFma64Rounds = sizeof kFma64Turns / sizeof kFma64Turns[0];

// Places 0 1 4 5 in one vector, 2 3 6 7 in the other: the order that the unpacking instructions give.
struct Wide {
  __m256d first, second;
};

struct WideWords {
  __m256i low, high;  // of places 0..7

  static inline WideWords of(Wide x) {
    const __m256 a = _mm256_castpd_ps(x.first), b = _mm256_castpd_ps(x.second);
    return {_mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88)), _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd))};
  }

  inline Wide joined() const {
    return {opaque(_mm256_castsi256_pd(_mm256_unpacklo_epi32(low, high))),
            opaque(_mm256_castsi256_pd(_mm256_unpackhi_epi32(low, high)))};
  }

  // NaNs by integer comparison: the high word without sign is above that of infinity, or equal and the low word not 0.
  inline void make_canonical() {
    const __m256i infinity = _mm256_set1_epi32(0x7ff00000), all = _mm256_set1_epi32(0x7fffffff);
    const __m256i magnitude = _mm256_and_si256(high, all);
    const __m256i no_low = _mm256_cmpeq_epi32(low, _mm256_setzero_si256());
    const __m256i at_infinity = _mm256_andnot_si256(no_low, _mm256_cmpeq_epi32(magnitude, infinity));
    const __m256i is_nan = _mm256_or_si256(_mm256_cmpgt_epi32(magnitude, infinity), at_infinity);
    low = _mm256_or_si256(low, is_nan);
    high = _mm256_blendv_epi8(high, all, is_nan);
  }
};

template <class Tap>
struct Fma64Round {
  Tap& tap;
  const LaneTurn turn;
  uint32_t* results;
  __m256i digest;

  inline __attribute__((always_inline)) void keep_words(__m256i value) {
    const __m256i word = turn.to_logical(value);
    store_lanes(results, word);
    results += kLanes;
    digest = fold_lanes_of(digest, word);
  }

  template <ResultKind kind>
  inline __attribute__((always_inline)) void keep(__m256i value) {
    keep_words(canonical_lanes<kind>(tap.template lanes<kind>(opaque(value))));
  }

  inline __attribute__((always_inline)) void keep(Wide value) {
    WideWords words = WideWords::of({opaque(value.first), opaque(value.second)});
    tap.wide_lanes(words.low, words.high);
    words.make_canonical();
    keep_words(words.low);
    keep_words(words.high);
  }

  template <Operand which>
  inline __attribute__((always_inline)) WideWords operand(const uint32_t* words) {
    return {tap.template operand<which>(turn.to_physical(load_lanes(words))),
            tap.template operand<which>(turn.to_physical(load_lanes(words + kLanes)))};
  }

  inline __attribute__((always_inline)) void iterate(const uint32_t* operands) {
    const WideWords a = operand<Operand::kA>(operands);
    const WideWords b = operand<Operand::kB>(operands + 2 * kLanes);
    const WideWords c = operand<Operand::kC>(operands + 4 * kLanes);
    const Wide x = a.joined(), y = b.joined(), z = c.joined();
    keep(Wide{_mm256_fmadd_pd(x.first, y.first, z.first), _mm256_fmadd_pd(x.second, y.second, z.second)});
    keep(Wide{_mm256_add_pd(x.first, z.first), _mm256_add_pd(x.second, z.second)});
    keep(Wide{_mm256_mul_pd(x.first, y.first), _mm256_mul_pd(x.second, y.second)});
    keep<ResultKind::kBits>(to_int32_lanes(with_exponent(a, 63, 989)));
    keep(from_int32_lanes(b.low));
    keep<ResultKind::kBinary32>(to_binary32_lanes(z));
    keep<ResultKind::kBinary32>(to_binary32_lanes(with_exponent(b, 31, 871)));
    keep(from_binary32_lanes(c.low));
  }

  // Sign and fraction of x; the exponent field is base plus the field's low bits.
  static inline Wide with_exponent(WideWords x, int bits, int base) {
    const __m256i low_bits = _mm256_and_si256(_mm256_srli_epi32(x.high, 20), _mm256_set1_epi32(bits));
    const __m256i field = _mm256_slli_epi32(_mm256_add_epi32(low_bits, _mm256_set1_epi32(base)), 20);
    const __m256i rest = _mm256_and_si256(x.high, _mm256_set1_epi32(static_cast<int>(0x800fffffu)));
    return WideWords{x.low, _mm256_or_si256(rest, field)}.joined();
  }

  // Four words of each half vector back to places 0..7.
  static inline __m256i in_places(__m128i first, __m128i second) {
    return _mm256_set_m128i(_mm_unpackhi_epi64(first, second), _mm_unpacklo_epi64(first, second));
  }
  // Words of places 0..7 as those of the two half vectors: 0 1 4 5 2 3 6 7.
  static inline __m256i in_halves(__m256i places) { return _mm256_permute4x64_epi64(places, 0xd8); }

  static inline __m256i to_int32_lanes(Wide x) {
    return in_places(opaque(_mm256_cvtpd_epi32(x.first)), opaque(_mm256_cvtpd_epi32(x.second)));
  }
  static inline Wide from_int32_lanes(__m256i places) {
    const __m256i halves = in_halves(places);
    return {_mm256_cvtepi32_pd(opaque(_mm256_castsi256_si128(halves))),
            _mm256_cvtepi32_pd(opaque(_mm256_extracti128_si256(halves, 1)))};
  }
  static inline __m256i to_binary32_lanes(Wide x) {
    return in_places(opaque(_mm_castps_si128(_mm256_cvtpd_ps(x.first))),
                     opaque(_mm_castps_si128(_mm256_cvtpd_ps(x.second))));
  }
  static inline Wide from_binary32_lanes(__m256i places) {
    const __m256i halves = in_halves(places);
    return {_mm256_cvtps_pd(_mm_castsi128_ps(opaque(_mm256_castsi256_si128(halves)))),
            _mm256_cvtps_pd(_mm_castsi128_ps(opaque(_mm256_extracti128_si256(halves, 1))))};
  }
};

template <class Tap>
UnitOutcome run_fma64(const UnitJob& job, Tap& tap) {
  set_default_control();
  return run_rounds(job, kFma64Rounds, [&](uint32_t r, uint32_t* lane_digests) {
    Fma64Round<Tap> round{tap, LaneTurn(kFma64Turns[r]), job.results, _mm256_setzero_si256()};
    for (uint32_t i = 0; i < kFma64Shape.iterations; i++) {
      round.iterate(job.golden->operands + i * kFma64Shape.operand_words * kLanes);
    }
    store_lanes(lane_digests, round.digest);
  });
}

}  // namespace sentinel
