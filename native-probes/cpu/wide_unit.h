// What the kernels of the AVX-512 objects share. The same rule as in vector_unit.h holds: static, or always inlined.
#pragma once
#include "vector_unit.h"

namespace sentinel {

// The release's Tap for 512-bit operands and results.
struct DirectWideTap {
  template <Operand which>
  inline __attribute__((always_inline)) __m512i operand(__m512i value) {
    return value;
  }
  template <ResultKind kind>
  inline __attribute__((always_inline)) __m512i lanes(__m512i value) {
    return value;
  }
};

inline __attribute__((always_inline)) __m512i opaque(__m512i value) {
  asm volatile("" : "+v"(value));
  return value;
}

// Forms with a mask of ones, since g++ 12 warns of its own header in the others.
//
// The same word of two iterations, 8 lanes each.
static inline __m512i load_pair(const uint32_t* first, const uint32_t* second) {
  return _mm512_maskz_inserti64x4(0xff, _mm512_castsi256_si512(load_lanes(first)), load_lanes(second), 1);
}
static inline __m256i first_of(__m512i pair) { return _mm512_maskz_extracti64x4_epi64(0xf, pair, 0); }
static inline __m256i second_of(__m512i pair) { return _mm512_maskz_extracti64x4_epi64(0xf, pair, 1); }

}  // namespace sentinel
