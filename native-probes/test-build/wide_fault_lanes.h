// WideFault as a Tap of 512-bit results.
#pragma once
#include "../cpu/wide_unit.h"
#include "wide_fault.h"

namespace sentinel::injection {

struct WideFaultLanes {
  WideFault fault;

  template <Operand which>
  inline __attribute__((always_inline)) __m512i operand(__m512i value) {
    return altered(fault.operand, which, value);
  }
  template <ResultKind kind>
  inline __attribute__((always_inline)) __m512i lanes(__m512i value) {
    return altered(fault.result, kind, value);
  }

 private:
  template <class What>
  inline __attribute__((always_inline)) __m512i altered(void (*alter)(void*, What, uint32_t*), What what,
                                                        __m512i value) {
    alignas(64) uint32_t words[2 * kLanes];
    _mm512_store_si512(words, value);
    alter(fault.self, what, words);
    alter(fault.self, what, words + kLanes);
    return _mm512_load_si512(words);
  }
};

}  // namespace sentinel::injection
