// Floating-point tensor core families: tiles of integers, scaled by powers of two, whose every partial sum has few enough
// bits for any adder. Operands, fragments of a lane, and results of a lane.
#pragma once
#include "tc_tile.h"

namespace sentinel {

// What a tensor core adder keeps: 24 significant bits from Volta on, 14 of fp8 products (Ada, Hopper); an fp16
// accumulator has 11.
constexpr uint64_t kExactInSingle = 1u << 24;
constexpr uint64_t kExactInFp8 = 1u << 14;
constexpr uint64_t kExactInHalf = 1u << 11;

struct TcFp16 {
  static constexpr uint32_t kElements = 4, kElementBits = 16;       // of a unit
  static constexpr uint32_t kExponentBits = 5, kFractionBits = 10;  // of an element
  static constexpr uint32_t kDrawnBits = 16, kShiftAt = 11;         // of its random bits: magnitude, shift, sign on top
  static constexpr uint32_t kNegate = 0x80008000u;                  // of a register
  static constexpr uint64_t kExact = kExactInSingle;
  SENTINEL_CORE constexpr TcClass kind(uint32_t tile_class) {
    switch (tile_class) {
      case 0:
      case 5: return {{11, false, 0, -14, 20}, {8, false, 0, -14, 20}, false, 16, 8, false};
      case 3: return {{1, true, 15, -14, 15}, {5, false, 0, -14, 20}, false, 16, 4, false};
      case 7: return {{4, false, 0, -7, 10}, {3, false, 0, -7, 10}, false, 9, 0, true};
      default: return {{11, true, 0, -14, 20}, {11, true, 0, -14, 20}, true, 14, 0, false};
    }
  }
};

struct TcBf16 {
  static constexpr uint32_t kElements = 4, kElementBits = 16;
  static constexpr uint32_t kExponentBits = 8, kFractionBits = 7;
  static constexpr uint32_t kDrawnBits = 16, kShiftAt = 8;
  static constexpr uint32_t kNegate = 0x80008000u;
  static constexpr uint64_t kExact = kExactInSingle;
  SENTINEL_CORE constexpr TcClass kind(uint32_t tile_class) {
    switch (tile_class) {
      case 1: return {{8, false, 0, -60, 100}, {8, false, 0, -60, 100}, false, 16, 8, false};
      case 3: return {{1, true, 15, -60, 100}, {5, false, 0, -60, 100}, false, 16, 4, false};
      case 5: return {{4, true, 7, -60, 100}, {8, false, 0, -60, 100}, false, 16, 8, false};
      default: return {{8, true, 0, -60, 100}, {8, true, 0, -60, 100}, false, 16, 8, false};
    }
  }
};

struct TcTf32 {
  static constexpr uint32_t kElements = 2, kElementBits = 32;
  static constexpr uint32_t kExponentBits = 8, kFractionBits = 23;  // in its register; the low 13 are zero
  static constexpr uint32_t kDrawnBits = 16, kShiftAt = 11;
  static constexpr uint32_t kNegate = 0x80000000u;
  static constexpr uint64_t kExact = kExactInSingle;
  SENTINEL_CORE constexpr TcClass kind(uint32_t tile_class) {
    switch (tile_class) {
      case 0:
      case 5: return {{11, false, 0, -60, 100}, {9, false, 0, -60, 100}, false, 16, 8, false};
      case 3: return {{1, true, 15, -60, 100}, {6, false, 0, -60, 100}, false, 16, 3, false};
      default: return {{11, true, 0, -60, 100}, {11, true, 0, -60, 100}, true, 14, 0, false};
    }
  }
};

struct TcFp8 {
  static constexpr uint32_t kElements = 8, kElementBits = 8;
  static constexpr uint32_t kExponentBits = 4, kFractionBits = 3;  // e4m3
  static constexpr uint32_t kDrawnBits = 8, kShiftAt = 4;
  static constexpr uint32_t kNegate = 0x80808080u;
  static constexpr uint64_t kExact = kExactInFp8;
  SENTINEL_CORE constexpr TcClass kind(uint32_t tile_class) {
    switch (tile_class) {
      case 1:
      case 5: return {{4, false, 0, -6, 11}, {4, false, 0, -6, 11}, false, 14, 0, false};
      case 3: return {{1, true, 7, -6, 8}, {2, false, 0, -6, 13}, false, 12, 0, false};
      default: return {{4, true, 0, -6, 11}, {4, true, 0, -6, 11}, false, 14, 0, false};
    }
  }
};

template <class Format>
SENTINEL_CORE constexpr TcClass tc_class(uint32_t iteration) {
  const TcClass kind = Format::kind(iteration % kTcClasses);
  return (iteration / kTcClasses & 1) != 0 ? tc_swapped(kind) : kind;
}

// Whether no element of a side is subnormal, infinite or NaN, and its bits are drawn from places of their own.
template <class Format>
constexpr bool tc_is_normal(TcSide side) {
  const int32_t bias = (1 << (Format::kExponentBits - 1)) - 1;
  // e4m3 has no infinity: its greatest exponent, 8, is free for all but 1.875.
  const int32_t greatest = Format::kExponentBits == 4 && side.bits < 4 ? bias + 1 : bias;
  const int32_t top = static_cast<int32_t>(side.bits + side.shift + side.scales) - 2 + side.least_scale;
  return side.least_scale >= 1 - bias && top <= greatest && side.bits <= Format::kShiftAt &&
         (side.shift & (side.shift + 1)) == 0 && side.shift < 1u << (Format::kDrawnBits - 1 - Format::kShiftAt);
}

// Of all classes of a format, both ways round: no set of a tile's terms sums to more than its adder or accumulator holds,
// and operands and results are zero or normal.
template <class Format>
constexpr bool tc_classes_are_exact() {
  for (uint32_t i = 0; i < 2 * kTcClasses; i++) {
    const TcClass kind = tc_class<Format>(i);
    if (tc_bound(kind, Format::kElements) > (kind.narrow ? kExactInHalf : Format::kExact)) return false;
    if (!tc_is_normal<Format>(kind.a) || !tc_is_normal<Format>(kind.b)) return false;
    const int32_t least = kind.a.least_scale + kind.b.least_scale;
    const int32_t greatest = least + static_cast<int32_t>(kind.a.scales + kind.b.scales) - 2 + (kind.narrow ? 11 : 24);
    if (least < (kind.narrow ? -14 : -126) || greatest > (kind.narrow ? 15 : 127)) return false;
  }
  return true;
}

// An integer; its sign is of no account where it is zero.
struct TcInteger {
  uint32_t magnitude;
  bool negative;
};

SENTINEL_CORE TcInteger tc_integer(int32_t value) {
  return {value < 0 ? 0u - static_cast<uint32_t>(value) : static_cast<uint32_t>(value), value < 0};
}
SENTINEL_CORE int32_t tc_value(TcInteger x) {
  return x.negative ? -static_cast<int32_t>(x.magnitude) : static_cast<int32_t>(x.magnitude);
}

// x * 2^scale in an interchange format; x must have no more significant bits than it and be in its range. Without a
// branch: lanes would wait for each other.
template <uint32_t exponent_bits, uint32_t fraction_bits>
SENTINEL_CORE uint32_t tc_encode(TcInteger x, int32_t scale) {
  constexpr int32_t bias = (1 << (exponent_bits - 1)) - 1;
  const int32_t zeros = leading_zeros32(x.magnitude | 1);
  const uint32_t exponent = static_cast<uint32_t>(31 - zeros + scale + bias);
  const uint32_t fraction = x.magnitude << zeros << 1 >> (32 - fraction_bits);
  const uint32_t sign = static_cast<uint32_t>(x.negative) << (exponent_bits + fraction_bits);
  return x.magnitude != 0 ? sign | exponent << fraction_bits | fraction : 0;
}

// Result of either accumulator.
SENTINEL_CORE uint32_t tc_encode_result(TcClass kind, int32_t value, int32_t scale) {
  const TcInteger x = tc_integer(value);
  return kind.narrow ? tc_encode<5, 10>(x, scale) : tc_encode<8, 23>(x, scale);
}

// kept: bit e of the elements of its unit that are not zero.
template <class Format>
SENTINEL_CORE TcInteger tc_element(uint64_t unit, uint32_t element, TcSide side, uint32_t kept) {
  const uint32_t r = static_cast<uint32_t>(unit >> element * Format::kElementBits);
  const uint32_t top = 1u << (side.bits - 1);
  const uint32_t drawn = (r & (2 * top - 1)) | (side.full ? top : 0);
  const uint32_t magnitude = drawn << (r >> Format::kShiftAt & side.shift);
  return {magnitude & (0u - (kept >> element & 1)), (r >> (Format::kDrawnBits - 1) & 1) != 0};
}

// One tile with what all of its lanes share.
template <class Format>
struct TcFloatTile {
  TcTile tile;
  TcClass kind;
  uint64_t bits;
};

template <class Format>
SENTINEL_CORE TcFloatTile<Format> tc_float_tile(TcTile tile) {
  return {tile, tc_class<Format>(tile.iteration), tc_unit(tile, kTcUnitOfTile)};
}

// Of a quad lane's units of A, or of B: which elements are not zero.
template <class Format>
SENTINEL_CORE uint32_t tc_kept(const TcFloatTile<Format>& t, uint32_t quad_lane, bool in_a) {
  const bool zeroed = t.kind.sparse && in_a == tc_zeros_in_a(t.bits);
  return zeroed ? 1u << tc_active_element(t.bits, quad_lane) % Format::kElements : (1u << Format::kElements) - 1;
}

template <class Format>
SENTINEL_CORE uint64_t tc_unit_of_a(const TcFloatTile<Format>& t, uint32_t row, uint32_t quad_lane) {
  return tc_unit(t.tile, kTcUnitsOfA + row * kTcQuad + quad_lane);
}

template <class Format>
SENTINEL_CORE uint64_t tc_unit_of_b(const TcFloatTile<Format>& t, uint32_t column, uint32_t quad_lane) {
  return tc_unit(t.tile, kTcUnitsOfB + column * kTcQuad + quad_lane);
}

// The integers of C of a lane: its four places of the accumulator fragment.
template <class Format>
SENTINEL_CORE void tc_addends(const TcFloatTile<Format>& t, uint32_t lane, int32_t* c) {
  const uint64_t unit = tc_unit(t.tile, kTcUnitsOfC + lane);
  for (uint32_t j = 0; j < 4; j++) {
    const uint32_t drawn = static_cast<uint32_t>(unit >> 16 * j) << (32 - t.kind.c_bits);
    c[j] = (static_cast<int32_t>(drawn) >> (32 - t.kind.c_bits)) * (1 << t.kind.c_shift);
  }
}

template <class Format>
SENTINEL_CORE int32_t tc_result_scale(const TcFloatTile<Format>& t, uint32_t lane, uint32_t j) {
  return tc_scale_of_row(t.bits, t.kind.a, tc_row(lane, j)) + tc_scale_of_column(t.bits, t.kind.b, tc_column(lane, j));
}

// The two registers of a unit: its elements, lowest first, times 2^scale.
template <class Format>
SENTINEL_CORE void tc_registers(uint64_t unit, TcSide side, uint32_t kept, int32_t scale, uint32_t* registers) {
  constexpr uint32_t half = Format::kElements / 2;
  for (uint32_t k = 0; k < 2; k++) {
    registers[k] = 0;
    for (uint32_t e = 0; e < half; e++) {
      const TcInteger x = tc_element<Format>(unit, k * half + e, side, kept);
      registers[k] |= tc_encode<Format::kExponentBits, Format::kFractionBits>(x, scale) << e * Format::kElementBits;
    }
  }
}

template <class Format>
SENTINEL_CORE void tc_float_fragments(TcTile tile, uint32_t lane, TcFragments& f) {
  const TcFloatTile<Format> t = tc_float_tile<Format>(tile);
  const uint32_t quad_lane = lane % kTcQuad;
  const uint32_t line = lane / kTcQuad;  // row of A in either half, column of B
  const uint32_t kept_of_a = tc_kept(t, quad_lane, true);
  for (uint32_t upper = 0; upper < 2; upper++) {
    const uint32_t row = line + upper * (kTcRows / 2);
    uint32_t registers[2];
    tc_registers<Format>(tc_unit_of_a(t, row, quad_lane), t.kind.a, kept_of_a, tc_scale_of_row(t.bits, t.kind.a, row),
                         registers);
    for (uint32_t k = 0; k < 2; k++) f.a[2 * k + upper] = registers[k];
  }
  tc_registers<Format>(tc_unit_of_b(t, line, quad_lane), t.kind.b, tc_kept(t, quad_lane, false),
                       tc_scale_of_column(t.bits, t.kind.b, line), f.b);
  int32_t c[4];
  tc_addends(t, lane, c);
  for (uint32_t j = 0; j < 4; j++) f.c[j] = tc_encode_result(t.kind, c[j], tc_result_scale(t, lane, j));
}

// Accumulators after D = A B + C, then after E = (-A) B + D with the halves of k and of the rows exchanged: other
// multipliers cancel the same products, and what is left is C.
template <class Format>
SENTINEL_CORE void tc_float_results(TcTile tile, uint32_t lane, uint32_t* results) {
  static_assert(tc_classes_are_exact<Format>(), "sums that depend on their order or on the architecture");
  const TcFloatTile<Format> t = tc_float_tile<Format>(tile);
  int32_t c[4];
  tc_addends(t, lane, c);
  int32_t sum[4] = {c[0], c[1], c[2], c[3]};
  for (uint32_t q = 0; q < kTcQuad; q++) {
    uint64_t a[2], b[2];
    for (uint32_t n = 0; n < 2; n++) {
      a[n] = tc_unit_of_a(t, tc_row(lane, 2 * n), q);
      b[n] = tc_unit_of_b(t, tc_column(lane, n), q);
    }
    const uint32_t kept_of_a = tc_kept(t, q, true), kept_of_b = tc_kept(t, q, false);
    for (uint32_t e = 0; e < Format::kElements; e++) {
      int32_t x[2], y[2];
      for (uint32_t n = 0; n < 2; n++) {
        x[n] = tc_value(tc_element<Format>(a[n], e, t.kind.a, kept_of_a));
        y[n] = tc_value(tc_element<Format>(b[n], e, t.kind.b, kept_of_b));
      }
      for (uint32_t j = 0; j < 4; j++) sum[j] += x[j / 2] * y[j & 1];
    }
  }
  for (uint32_t j = 0; j < 4; j++) {
    const int32_t scale = tc_result_scale(t, lane, j);
    results[j] = tc_encode_result(t.kind, sum[j], scale);
    results[4 + (j ^ 2)] = tc_encode_result(t.kind, c[j], scale);
  }
}

}  // namespace sentinel
