// What one multiplier of a tensor core sees of a family's operands: for judging the operands, not for the probe itself.
#pragma once
#include "tc_float.h"

namespace sentinel {

// A product's place in a tile. That a multiplier keeps one place is the least that it can see: tensor cores have fewer
// multipliers than a tile has products.
struct TcPlace {
  uint32_t row, column, quad_lane, element;
};

// Whole significands with the leading one, left-aligned; 0 of a zero.
struct TcSignificands {
  uint32_t a, b;
};

template <uint32_t bits>
SENTINEL_CORE uint32_t tc_significand(int32_t value) {
  if (value == 0) return 0;
  const uint32_t magnitude = static_cast<uint32_t>(value < 0 ? -value : value);
  const int32_t top = 31 - leading_zeros32(magnitude);
  return static_cast<uint32_t>(static_cast<uint64_t>(magnitude) << 32 >> (top + 33 - static_cast<int32_t>(bits)));
}

// Of the first (step 0) or second (step 1) multiplication of an iteration. bits: 11 of fp16 and tf32, 8 of bf16, 4 of fp8.
template <class Format, uint32_t bits>
SENTINEL_CORE TcSignificands tc_multiplier_operands(TcTile tile, TcPlace place, uint32_t step) {
  const TcFloatTile<Format> t = tc_float_tile<Format>(tile);
  const uint32_t row = place.row ^ step * (kTcRows / 2);
  const uint32_t element = place.element ^ step * (Format::kElements / 2);
  const uint64_t a = tc_unit_of_a(t, row, place.quad_lane);
  const uint64_t b = tc_unit_of_b(t, place.column, place.quad_lane);
  return {tc_significand<bits>(tc_element_of_a(t, a, place.quad_lane, element)),
          tc_significand<bits>(tc_element_of_b(t, b, place.quad_lane, element))};
}

}  // namespace sentinel
