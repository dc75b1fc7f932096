// cpu_bf16 on AVX512-BF16, and on AMX where the kernel lets the process have it: the same products by VDPBF16PS, by
// TDPBF16PS and by the tile instructions for bytes.
#pragma once
#include "integer_products.h"
#include "wide_unit.h"
#include "wide_units.h"

namespace sentinel {

// Moves logical column (p + turn) mod 16 to physical column p.
struct ColumnTurn {
  __m512i there, back;

  static inline __attribute__((always_inline)) ColumnTurn of(uint32_t turn) {
    alignas(64) uint32_t there[kProductColumns], back[kProductColumns];
    for (uint32_t p = 0; p < kProductColumns; p++) {
      there[p] = (p + turn) % kProductColumns;
      back[p] = (p + kProductColumns - turn) % kProductColumns;
    }
    return {_mm512_load_si512(there), _mm512_load_si512(back)};
  }
  // Maskless forms make g++ 12 warn of its own header.
  inline __attribute__((always_inline)) __m512i to_physical(const uint32_t* row) const {
    return _mm512_maskz_permutexvar_epi32(0xffff, there, _mm512_load_si512(row));
  }
  inline __attribute__((always_inline)) __m512i to_logical(__m512i row) const {
    return _mm512_maskz_permutexvar_epi32(0xffff, back, row);
  }
};

// The results of one product, physical columns.
struct alignas(64) ProductResult {
  uint32_t rows[kProductRows][kProductColumns];
};

static inline __m512bh as_pairs(__m512i value) { return (__m512bh)value; }

static inline void multiply_by_dot_products(const IntegerProduct& product, const ColumnTurn& turn, ProductResult& out) {
  __m512 sums[kProductRows];
  for (uint32_t r = 0; r < kProductRows; r++) {
    sums[r] = _mm512_castsi512_ps(turn.to_physical(product.scaled_addends[r]));
  }
  for (uint32_t k = 0; k < kPairs; k++) {
    const __m512bh b = as_pairs(opaque(turn.to_physical(product.pairs_b[k])));
#pragma GCC unroll 16
    for (uint32_t r = 0; r < kProductRows; r++) {
      const __m512i a = _mm512_set1_epi32(static_cast<int>(product.pairs_a[r][k]));
      sums[r] = _mm512_dpbf16_ps(sums[r], as_pairs(a), b);
    }
  }
  for (uint32_t r = 0; r < kProductRows; r++) _mm512_store_si512(out.rows[r], opaque(_mm512_castps_si512(sums[r])));
}

// Tile 0: sums. Tile 1: rows of A. Tile 2: B. 16 rows of 64 bytes each.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64};
  uint8_t rows[16] = {16, 16, 16};
};

// The tile instructions of g++ 12 do not say that they read memory: what was stored for them has to be there.
static inline void settle(const void* stored) { asm volatile("" : : "r"(stored) : "memory"); }

// Physical row p is logical row (p + turn) mod 16; columns likewise.
static inline void load_addends(const uint32_t (&addends)[kProductRows][kProductColumns], uint32_t turn,
                                const ColumnTurn& columns) {
  ProductResult start;
  for (uint32_t r = 0; r < kProductRows; r++) {
    _mm512_store_si512(start.rows[r], columns.to_physical(addends[(r + turn) % kProductRows]));
  }
  settle(&start);
  _tile_loadd(0, start.rows, 64);
}

static inline void load_factors(const uint32_t* a, uint32_t words_of_row, const uint32_t* b, uint32_t turn,
                                const ColumnTurn& columns) {
  alignas(64) uint32_t rows[kProductRows][16], pairs[16][kProductColumns];
  for (uint32_t r = 0; r < kProductRows; r++) {
    _mm512_store_si512(rows[r], _mm512_load_si512(a + (r + turn) % kProductRows * words_of_row));
    _mm512_store_si512(pairs[r], columns.to_physical(b + r * kProductColumns));
  }
  settle(rows);
  settle(pairs);
  _tile_loadd(1, rows, 64);
  _tile_loadd(2, pairs, 64);
}

static inline void multiply_by_tiles(const IntegerProduct& product, uint32_t turn, const ColumnTurn& columns,
                                     ProductResult& out) {
  load_addends(product.scaled_addends, turn, columns);
  for (uint32_t k = 0; k < kPairs; k += 16) {
    load_factors(product.pairs_a[0] + k, kPairs, product.pairs_b[k], turn, columns);
    _tile_dpbf16ps(0, 1, 2);
  }
  _tile_stored(0, out.rows, 64);
}

static inline void multiply_by_byte_tiles(const IntegerProduct& product, uint32_t turn, const ColumnTurn& columns,
                                          ProductResult& out) {
  load_addends(product.addends, turn, columns);
  load_factors(product.quads_a[0], kQuads, product.quads_b[0], turn, columns);
  switch (product.reading) {
    case 0: _tile_dpbssd(0, 1, 2); break;
    case kUnsignedA: _tile_dpbusd(0, 1, 2); break;
    case kUnsignedB: _tile_dpbsud(0, 1, 2); break;
    default: _tile_dpbuud(0, 1, 2); break;
  }
  _tile_stored(0, out.rows, 64);
}

// An integer as the binary32 of value * 2^scale.
static inline __m512i scaled_lanes(__m512i integers, int scale) {
  const __m512i bits = _mm512_castps_si512(_mm512_maskz_cvtepi32_ps(0xffff, integers));
  return _mm512_mask_add_epi32(bits, _mm512_test_epi32_mask(integers, integers), bits, _mm512_set1_epi32(scale * (1 << 23)));
}

enum class ProductUnit { kDotProducts, kTiles, kByteTiles };

template <class Tap>
struct CpuBf16Round {
  Tap& tap;
  const ProductUnit unit;
  const uint32_t turn;
  const ColumnTurn columns;
  uint32_t* results;
  __m256i digest;

  inline __attribute__((always_inline)) void keep(__m256i word) {
    store_lanes(results, word);
    results += kLanes;
    digest = fold_lanes_of(digest, word);
  }

  void multiply(const IntegerProduct& product, ProductResult& out) const {
    switch (unit) {
      case ProductUnit::kDotProducts: return multiply_by_dot_products(product, columns, out);
      case ProductUnit::kTiles: return multiply_by_tiles(product, turn, columns, out);
      case ProductUnit::kByteTiles: return multiply_by_byte_tiles(product, turn, columns, out);
    }
  }

  void iterate(const IntegerProduct& product) {
    ProductResult out, logical;
    multiply(product, out);
    for (uint32_t r = 0; r < kProductRows; r++) {
      const __m512i seen = tap.template lanes<ResultKind::kBits>(opaque(_mm512_load_si512(out.rows[r])));
      const __m512i bits = unit == ProductUnit::kByteTiles ? scaled_lanes(seen, product.scale) : seen;
      const uint32_t row = unit == ProductUnit::kDotProducts ? r : (r + turn) % kProductRows;
      _mm512_store_si512(logical.rows[row], columns.to_logical(bits));
    }
    for (uint32_t r = 0; r < kProductRows; r++) keep(load_lanes(logical.rows[r]));
    for (uint32_t r = 0; r < kProductRows; r++) keep(load_lanes(logical.rows[r] + kLanes));
  }
};

// Rounds of each unit, one per turn of the columns.
template <class Tap>
UnitOutcome run_cpu_bf16(const UnitJob& job, bool tiles, Tap& tap) {
  set_default_control();
  const IntegerProduct* products = fill_products(job);
  const TileConfig config;
  settle(&config);
  if (tiles) _tile_loadconfig(&config);
  const uint32_t rounds = tiles ? kCpuBf16TileRounds : kCpuBf16Rounds;
  const UnitOutcome outcome = run_rounds(job, rounds, [&](uint32_t r, uint32_t* lane_digests) {
    const uint32_t turn = r % kProductColumns;
    CpuBf16Round<Tap> round{tap,
                            static_cast<ProductUnit>(r / kProductColumns),
                            turn,
                            ColumnTurn::of(turn),
                            job.results,
                            _mm256_setzero_si256()};
    for (uint32_t i = 0; i < kCpuBf16Shape.iterations; i++) round.iterate(products[i]);
    store_lanes(lane_digests, round.digest);
  });
  if (tiles) _tile_release();
  return outcome;
}

}  // namespace sentinel
