// Tensor core family of signed bytes with 32-bit accumulators: every sum is exact, and stays below 2^31.
#pragma once
#include "tc_tile.h"

namespace sentinel {

struct TcInt8 {
  static constexpr uint32_t kElements = 8;           // of a unit
  static constexpr uint32_t kNegate = 0xffffffffu;   // ~a = -a - 1: every byte has one
  static constexpr int64_t kGreatestAddend = 32768ll * 32767;
  static constexpr int64_t kGreatestSum = kGreatestAddend + kTcQuad * kElements * 128ll * 128;
};
static_assert(TcInt8::kGreatestSum < 1ll << 31, "no accumulator overflows");

// Iterations 2 and 3 of every four make one side extreme, for carries over the whole width: -128 and 127 by the bytes'
// sign.
SENTINEL_CORE uint64_t tc_int8_extreme(uint64_t unit) {
  const uint64_t signs = unit >> 7 & 0x0101010101010101u;
  return 0x7f7f7f7f7f7f7f7fu + signs;
}

SENTINEL_CORE uint64_t tc_int8_unit_of_a(TcTile tile, uint32_t row, uint32_t quad_lane) {
  const uint64_t unit = tc_unit(tile, kTcUnitsOfA + row * kTcQuad + quad_lane);
  return tile.iteration % 4 == 2 ? tc_int8_extreme(unit) : unit;
}

SENTINEL_CORE uint64_t tc_int8_unit_of_b(TcTile tile, uint32_t column, uint32_t quad_lane) {
  const uint64_t unit = tc_unit(tile, kTcUnitsOfB + column * kTcQuad + quad_lane);
  return tile.iteration % 4 == 3 ? tc_int8_extreme(unit) : unit;
}

SENTINEL_CORE int32_t tc_int8_element(uint64_t unit, uint32_t element) {
  return static_cast<int8_t>(unit >> 8 * element & 0xff);
}

SENTINEL_CORE int32_t tc_int8_addend(TcTile tile, uint32_t lane, uint32_t place) {
  const uint64_t unit = tc_unit(tile, kTcUnitsOfC + lane);
  return static_cast<int16_t>(unit >> 16 * place & 0xffff) * 32767;
}

SENTINEL_CORE void tc_int8_fragments(TcTile tile, uint32_t lane, TcFragments& f) {
  const uint32_t quad_lane = lane % kTcQuad;
  for (uint32_t upper = 0; upper < 2; upper++) {
    const uint64_t unit = tc_int8_unit_of_a(tile, tc_row(lane, 2 * upper), quad_lane);
    f.a[upper] = static_cast<uint32_t>(unit);
    f.a[2 + upper] = static_cast<uint32_t>(unit >> 32);
  }
  const uint64_t unit = tc_int8_unit_of_b(tile, lane / kTcQuad, quad_lane);
  f.b[0] = static_cast<uint32_t>(unit);
  f.b[1] = static_cast<uint32_t>(unit >> 32);
  for (uint32_t j = 0; j < 4; j++) f.c[j] = static_cast<uint32_t>(tc_int8_addend(tile, lane, j));
}

// D = A B + C, then E = (~A) B + D with halves exchanged, which leaves C less the column sums of B.
SENTINEL_CORE void tc_int8_results(TcTile tile, uint32_t lane, uint32_t* results) {
  int32_t sum[4], rest[4];
  for (uint32_t j = 0; j < 4; j++) sum[j] = rest[j] = tc_int8_addend(tile, lane, j);
  for (uint32_t q = 0; q < kTcQuad; q++) {
    uint64_t a[2], b[2];
    for (uint32_t n = 0; n < 2; n++) {
      a[n] = tc_int8_unit_of_a(tile, tc_row(lane, 2 * n), q);
      b[n] = tc_int8_unit_of_b(tile, tc_column(lane, n), q);
    }
    for (uint32_t e = 0; e < TcInt8::kElements; e++) {
      const int32_t x[2] = {tc_int8_element(a[0], e), tc_int8_element(a[1], e)};
      const int32_t y[2] = {tc_int8_element(b[0], e), tc_int8_element(b[1], e)};
      for (uint32_t j = 0; j < 4; j++) {
        sum[j] += x[j / 2] * y[j & 1];
        rest[j] -= y[j & 1];
      }
    }
  }
  for (uint32_t j = 0; j < 4; j++) {
    results[j] = static_cast<uint32_t>(sum[j]);
    results[4 + (j ^ 2)] = static_cast<uint32_t>(rest[j]);
  }
}

}  // namespace sentinel
