// fma16 on AVX512-FP16: the eight lanes of two iterations at a time, 32 halves in 512 bits.
#pragma once
#include "../core/fma16.h"
#include "wide_unit.h"
#include "wide_units.h"

namespace sentinel {


// Moves logical half (p + turn) mod 32 to physical half p, so that over 32 turns every physical half computes every
// vector.
struct HalfTurn {
  __m512i there, back;

  static inline __attribute__((always_inline)) HalfTurn of(uint32_t turn) {
    alignas(64) uint16_t there[kFma16Rounds], back[kFma16Rounds];
    for (uint32_t p = 0; p < kFma16Rounds; p++) {
      there[p] = static_cast<uint16_t>((p + turn) % kFma16Rounds);
      back[p] = static_cast<uint16_t>((p + kFma16Rounds - turn) % kFma16Rounds);
    }
    return {_mm512_load_si512(there), _mm512_load_si512(back)};
  }
  inline __attribute__((always_inline)) __m512i to_physical(__m512i value) const {
    return _mm512_permutexvar_epi16(there, value);
  }
  inline __attribute__((always_inline)) __m512i to_logical(__m512i value) const {
    return _mm512_permutexvar_epi16(back, value);
  }
};

static inline __m512i canonical_halves_of(__m512i value) {
  const __m512i nan = _mm512_set1_epi16(0x7fff);
  const __mmask32 is_nan = _mm512_cmpgt_epi16_mask(_mm512_and_si512(value, nan), _mm512_set1_epi16(0x7c00));
  return _mm512_mask_blend_epi16(is_nan, value, nan);
}

template <class Tap>
struct Fma16Round {
  Tap& tap;
  const HalfTurn turn;
  uint32_t* results;
  __m256i digest;

  template <Operand which>
  inline __attribute__((always_inline)) __m512h operand(const uint32_t* words) {
    const __m512i pair = load_pair(words, words + kFma16Shape.operand_words * kLanes);
    return _mm512_castsi512_ph(opaque(tap.template operand<which>(turn.to_physical(pair))));
  }

  inline __attribute__((always_inline)) __m512i result(__m512h value) {
    const __m512i seen = tap.template lanes<ResultKind::kBinary16Pair>(opaque(_mm512_castph_si512(value)));
    return turn.to_logical(canonical_halves_of(seen));
  }

  inline __attribute__((always_inline)) void keep(__m256i word) {
    store_lanes(results, word);
    results += kLanes;
    digest = fold_lanes_of(digest, word);
  }

  inline __attribute__((always_inline)) void iterate_twice(const uint32_t* operands) {
    const __m512h a = operand<Operand::kA>(operands);
    const __m512h b = operand<Operand::kB>(operands + kLanes);
    const __m512h c = operand<Operand::kC>(operands + 2 * kLanes);
    const __m512i fused = result(_mm512_fmadd_ph(a, b, c));
    const __m512i sum = result(_mm512_add_ph(a, c));
    const __m512i product = result(_mm512_mul_ph(a, b));
    keep(first_of(fused));
    keep(first_of(sum));
    keep(first_of(product));
    keep(second_of(fused));
    keep(second_of(sum));
    keep(second_of(product));
  }
};

template <class Tap>
UnitOutcome run_fma16(const UnitJob& job, Tap& tap) {
  set_default_control();
  return run_rounds(job, kFma16Rounds, [&](uint32_t r, uint32_t* lane_digests) {
    Fma16Round<Tap> round{tap, HalfTurn::of(r), job.results, _mm256_setzero_si256()};
    for (uint32_t i = 0; i < kFma16Shape.iterations; i += 2) {
      round.iterate_twice(job.golden->operands + i * kFma16Shape.operand_words * kLanes);
    }
    store_lanes(lane_digests, round.digest);
  });
}

}  // namespace sentinel
