// What one multiplier of a tensor core sees of a family's operands: for judging the operands, not for the probe itself.
#pragma once
#include "tc_float.h"

namespace sentinel {

// A product's place in a tile. That a multiplier keeps one place is the least that it can see: tensor cores have fewer
// multipliers than a tile has products.
struct TcPlace {
  uint32_t row, column, quad_lane, element;
};

// Whole significands with the leading one; 0 of a zero.
struct TcSignificands {
  uint32_t a, b;
};

template <uint32_t bits>
SENTINEL_CORE uint32_t tc_significand(TcInteger x) {
  return x.magnitude << leading_zeros32(x.magnitude | 1) >> (32 - bits);
}

// Of the first (step 0) or second (step 1) multiplication of an iteration. bits: 11 of fp16 and tf32, 8 of bf16, 4 of
// fp8.
template <class Format, uint32_t bits>
SENTINEL_CORE TcSignificands tc_multiplier_operands(TcTile tile, TcPlace place, uint32_t step) {
  const TcFloatTile<Format> t = tc_float_tile<Format>(tile);
  const uint32_t row = place.row ^ step * (kTcRows / 2);
  const uint32_t element = place.element ^ step * (Format::kElements / 2);
  const TcInteger a = tc_element<Format>(tc_unit_of_a(t, row, place.quad_lane), element, t.kind.a,
                                         tc_kept(t, place.quad_lane, true));
  const TcInteger b = tc_element<Format>(tc_unit_of_b(t, place.column, place.quad_lane), element, t.kind.b,
                                         tc_kept(t, place.quad_lane, false));
  return {tc_significand<bits>(a), tc_significand<bits>(b)};
}

}  // namespace sentinel
