// Tensor core family of binary64 (m8n8k4). Even iterations: integers whose sums have at most 53 bits in any order. Odd
// ones: one product of whole significands and C = -RN(product), so that the result is the low half of the product: exact
// too, since the multiplication and addition of an f64 mma are those of a fused multiply-add (PTX ISA).
#pragma once
#include "float64.h"
#include "tc_tile.h"

namespace sentinel {

struct TcFp64 {
  static constexpr uint32_t kWideBits = 26, kNarrowBits = 25;  // of A and B, or the other way round
  static constexpr uint32_t kAddendBits = 29;                  // signed
  static constexpr int32_t kLeastScale = -300;
  static constexpr uint32_t kScales = 550;
};
static_assert(kTcQuad * ((1ull << TcFp64::kWideBits) - 1) * ((1ull << TcFp64::kNarrowBits) - 1) +
                      (1ull << (TcFp64::kAddendBits - 1)) <=
                  1ull << 53,
              "sums that depend on their order");

SENTINEL_CORE bool tc_fp64_is_whole(TcTile tile) { return (tile.iteration & 1) != 0; }

// value * 2^scale as binary64; |value| <= 2^53.
SENTINEL_CORE uint64_t tc_encode64(int64_t value, int32_t scale) {
  if (value == 0) return 0;
  const uint64_t sign = value < 0 ? 1u : 0u;
  const uint64_t magnitude = value < 0 ? 0u - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  const int32_t top = 63 - leading_zeros64(magnitude);
  const uint64_t fraction = (magnitude << (63 - top) << 1) >> 12;
  return sign << 63 | static_cast<uint64_t>(top + scale + 1023) << 52 | fraction;
}

// The scale is the same along a row of A, or a column of B, so that every product of a dot product has the same.
struct TcFp64Operand {
  uint64_t unit;
  uint32_t bits;
  int32_t scale;
  bool zero;
};

SENTINEL_CORE int64_t tc_fp64_integer(TcFp64Operand x) {
  const int64_t magnitude = static_cast<int64_t>(x.unit & ((1ull << x.bits) - 1));
  return x.unit >> 63 != 0 ? -magnitude : magnitude;
}

SENTINEL_CORE uint64_t tc_fp64_operand_bits(TcTile tile, TcFp64Operand x) {
  if (!tc_fp64_is_whole(tile)) return tc_encode64(tc_fp64_integer(x), x.scale);
  if (x.zero) return 0;
  return (x.unit & 0x800fffffffffffffu) | static_cast<uint64_t>(x.scale + 1023) << 52;
}

// In whole tiles all quad lanes but one have a zero on one side.
SENTINEL_CORE bool tc_fp64_is_zero(uint64_t tile_bits, uint32_t quad_lane, bool in_a) {
  return quad_lane != tc_active_element(tile_bits, 0) && in_a == tc_zeros_in_a(tile_bits);
}

SENTINEL_CORE int32_t tc_fp64_scale(uint32_t offset) {
  return TcFp64::kLeastScale + static_cast<int32_t>(offset % TcFp64::kScales);
}

SENTINEL_CORE TcFp64Operand tc_fp64_a(TcTile tile, uint64_t tile_bits, uint32_t row, uint32_t quad_lane) {
  const bool wide = (tile.iteration & 2) == 0;
  return {tc_unit(tile, kTcUnitsOfA + row * kTcQuad + quad_lane), wide ? TcFp64::kWideBits : TcFp64::kNarrowBits,
          tc_fp64_scale(static_cast<uint32_t>(tile_bits >> 16 & 0xffff) + row),
          tc_fp64_is_zero(tile_bits, quad_lane, true)};
}

SENTINEL_CORE TcFp64Operand tc_fp64_b(TcTile tile, uint64_t tile_bits, uint32_t column, uint32_t quad_lane) {
  const bool wide = (tile.iteration & 2) != 0;
  return {tc_unit(tile, kTcUnitsOfB + column * kTcQuad + quad_lane), wide ? TcFp64::kWideBits : TcFp64::kNarrowBits,
          tc_fp64_scale(static_cast<uint32_t>(tile_bits >> 32 & 0xffff) + column),
          tc_fp64_is_zero(tile_bits, quad_lane, false)};
}

// The addend at a lane's place: its row, and the columns 2 (lane mod 4) and the next.
SENTINEL_CORE int64_t tc_fp64_addend(TcTile tile, uint32_t lane, uint32_t place) {
  const uint64_t unit = tc_unit(tile, kTcUnitsOfC + lane) >> 32 * place;
  return static_cast<int64_t>(unit << (64 - TcFp64::kAddendBits)) >> (64 - TcFp64::kAddendBits);
}

// Of a whole tile: the factors of the only product at a place.
struct TcFp64Factors {
  uint64_t a, b;
};

SENTINEL_CORE TcFp64Factors tc_fp64_factors(TcTile tile, uint64_t tile_bits, uint32_t lane, uint32_t place) {
  const uint32_t active = tc_active_element(tile_bits, 0);
  return {tc_fp64_operand_bits(tile, tc_fp64_a(tile, tile_bits, lane / kTcQuad, active)),
          tc_fp64_operand_bits(tile, tc_fp64_b(tile, tile_bits, tc_column(lane, place), active))};
}

SENTINEL_CORE uint64_t tc_fp64_addend_bits(TcTile tile, uint64_t tile_bits, uint32_t lane, uint32_t place) {
  if (tc_fp64_is_whole(tile)) {
    const TcFp64Factors x = tc_fp64_factors(tile, tile_bits, lane, place);
    return multiply64(x.a, x.b) ^ kSign64;
  }
  const int32_t scale = tc_fp64_a(tile, tile_bits, lane / kTcQuad, 0).scale +
                        tc_fp64_b(tile, tile_bits, tc_column(lane, place), 0).scale;
  return tc_encode64(tc_fp64_addend(tile, lane, place), scale);
}

SENTINEL_CORE uint64_t tc_fp64_result(TcTile tile, uint64_t tile_bits, uint32_t lane, uint32_t place) {
  if (tc_fp64_is_whole(tile)) {
    const TcFp64Factors x = tc_fp64_factors(tile, tile_bits, lane, place);
    return fma64(x.a, x.b, multiply64(x.a, x.b) ^ kSign64);
  }
  int64_t sum = tc_fp64_addend(tile, lane, place);
  int32_t scale = 0;
  for (uint32_t q = 0; q < kTcQuad; q++) {
    const TcFp64Operand a = tc_fp64_a(tile, tile_bits, lane / kTcQuad, q);
    const TcFp64Operand b = tc_fp64_b(tile, tile_bits, tc_column(lane, place), q);
    sum += tc_fp64_integer(a) * tc_fp64_integer(b);
    scale = a.scale + b.scale;
  }
  return tc_encode64(sum, scale);
}

// What a lane holds before the first of its two multiplications.
struct TcFp64Fragments {
  uint64_t a, b, c[2];
};

SENTINEL_CORE void tc_fp64_fragments(TcTile tile, uint32_t lane, TcFp64Fragments& f) {
  const uint64_t tile_bits = tc_unit(tile, kTcUnitOfTile);
  const uint32_t line = lane / kTcQuad;  // row of A, column of B
  f.a = tc_fp64_operand_bits(tile, tc_fp64_a(tile, tile_bits, line, lane % kTcQuad));
  f.b = tc_fp64_operand_bits(tile, tc_fp64_b(tile, tile_bits, line, lane % kTcQuad));
  for (uint32_t place = 0; place < 2; place++) f.c[place] = tc_fp64_addend_bits(tile, tile_bits, lane, place);
}

SENTINEL_CORE void tc_fp64_words(const uint64_t* values, uint32_t* words) {
  for (uint32_t place = 0; place < 2; place++) {
    words[2 * place] = static_cast<uint32_t>(values[place]);
    words[2 * place + 1] = static_cast<uint32_t>(values[place] >> 32);
  }
}

// D = A B + C, then E = (-A) B + D, which leaves C; low halves first.
SENTINEL_CORE void tc_fp64_results(TcTile tile, uint32_t lane, uint32_t* results) {
  const uint64_t tile_bits = tc_unit(tile, kTcUnitOfTile);
  uint64_t c[2], d[2];
  for (uint32_t place = 0; place < 2; place++) {
    c[place] = tc_fp64_addend_bits(tile, tile_bits, lane, place);
    d[place] = tc_fp64_result(tile, tile_bits, lane, place);
  }
  tc_fp64_words(d, results);
  tc_fp64_words(c, results + 4);
}

}  // namespace sentinel
