// Tiles of the tensor core families: where each operand comes from, and the eight kinds of tiles of a format.
//
// A tile D = A B + C belongs to a group of 32 lanes and an iteration. A row of A and a column of B are four units of 64
// bits, one per lane of a quad (lane mod 4): the two registers that this lane holds of it in every mma.sync fragment of
// PTX (m16n8k16 of 16 bits, m16n8k8 tf32, m16n8k32 of 8 bits). Which k an element has is nowhere needed: A and B agree
// on it, and the sum over k is exact in any order.
#pragma once
#include "random.h"

namespace sentinel {

constexpr uint32_t kTcRows = 16;
constexpr uint32_t kTcColumns = 8;
constexpr uint32_t kTcQuad = 4;
constexpr uint32_t kTcClasses = 8;  // the class of iteration i is i mod 8; every other eight iterations swap A and B

// Units of random bits of a tile.
constexpr uint32_t kTcUnitsOfA = 0;   // + row * 4 + quad lane
constexpr uint32_t kTcUnitsOfB = 64;  // + column * 4 + quad lane
constexpr uint32_t kTcUnitsOfC = 96;  // + lane
constexpr uint32_t kTcUnitOfTile = 128;

constexpr uint32_t kTcResultWords = 8;  // of a lane: its accumulators after each of two multiplications

// Where place j of a lane's accumulator fragment lies in the tile.
SENTINEL_CORE uint32_t tc_row(uint32_t lane, uint32_t j) { return lane / kTcQuad + (j / 2) * (kTcRows / 2); }
SENTINEL_CORE uint32_t tc_column(uint32_t lane, uint32_t j) { return lane % kTcQuad * 2 + (j & 1); }

// What a lane holds before the first of its two multiplications: the registers of an mma.sync.
struct TcFragments {
  uint32_t a[4], b[2], c[4];
};

// The sign of a sum that cancelled to zero is the architecture's affair.
SENTINEL_CORE uint32_t tc_canonical32(uint32_t x) { return (x & 0x7fffffffu) == 0 ? 0 : x; }
SENTINEL_CORE uint32_t tc_canonical16(uint32_t x) { return (x & 0x7fffu) == 0 ? 0 : x; }
SENTINEL_CORE uint64_t tc_canonical64(uint64_t x) { return (x & 0x7fffffffffffffffu) == 0 ? 0 : x; }

struct TcTile {
  uint64_t seed;
  uint32_t group, iteration;
};

SENTINEL_CORE uint64_t tc_unit(TcTile tile, uint32_t unit) {
  return rand64(tile.seed, tile.group << 8 | unit, tile.iteration);
}

// How the integers of one side of a tile are drawn: |x| < 2^bits, then shifted left by 0..shift, scaled by a power of two
// that is the same along a row of A or a column of B.
struct TcSide {
  uint32_t bits;
  bool full;       // the highest of the bits is always set: nothing but whole significands
  uint32_t shift;  // 0 or 2^n - 1
  int32_t least_scale;
  uint32_t scales;  // how many
};

struct TcClass {
  TcSide a, b;
  bool sparse;                // of a unit's elements one is a product, the others have a zero on one side
  uint32_t c_bits, c_shift;   // |c| <= 2^(c_bits - 1) << c_shift, scaled as its row and its column
  bool narrow;                // half precision accumulators
};

// The greatest sum of magnitudes over any set of a tile's terms: what must be exact in any order.
constexpr uint64_t tc_bound(TcClass kind, uint32_t elements) {
  const uint64_t a = ((1ull << kind.a.bits) - 1) << kind.a.shift;
  const uint64_t b = ((1ull << kind.b.bits) - 1) << kind.b.shift;
  return (kind.sparse ? kTcQuad : kTcQuad * elements) * a * b + (1ull << (kind.c_bits - 1) << kind.c_shift);
}

constexpr TcClass tc_swapped(TcClass kind) {
  return {kind.b, kind.a, kind.sparse, kind.c_bits, kind.c_shift, kind.narrow};
}

// The fields of the tile's own unit.
SENTINEL_CORE uint32_t tc_active_element(uint64_t tile_bits, uint32_t quad_lane) {
  return static_cast<uint32_t>(tile_bits >> 2 * quad_lane) & 3;
}
SENTINEL_CORE bool tc_zeros_in_a(uint64_t tile_bits) { return (tile_bits >> 8 & 1) != 0; }

SENTINEL_CORE int32_t tc_scale_of_row(uint64_t tile_bits, TcSide side, uint32_t row) {
  return side.least_scale + static_cast<int32_t>(((tile_bits >> 16 & 0xffff) + row) % side.scales);
}
SENTINEL_CORE int32_t tc_scale_of_column(uint64_t tile_bits, TcSide side, uint32_t column) {
  return side.least_scale + static_cast<int32_t>(((tile_bits >> 32 & 0xffff) + column) % side.scales);
}

}  // namespace sentinel
