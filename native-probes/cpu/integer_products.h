// The matrix products of cpu_bf16 as the instructions want them, made by integer code.
#pragma once
#include "../core/cpu_bf16.h"
#include "../core/cpu_mem.h"
#include "unit.h"

namespace sentinel {

constexpr uint32_t kPairs = kProductDepth / 2;
constexpr uint32_t kQuads = kProductDepth / 4;

// Rows are 64 bytes. B lies in pairs and quads of one column: row k holds what meets word k of a row of A.
struct alignas(64) IntegerProduct {
  uint32_t pairs_a[kProductRows][kPairs];     // bfloat16, the first of a pair in the low half
  uint32_t pairs_b[kPairs][kProductColumns];
  uint32_t quads_a[kProductRows][kQuads];     // bytes, the first lowest
  uint32_t quads_b[kQuads][kProductColumns];
  uint32_t addends[kProductRows][kProductColumns];         // two's complement
  uint32_t scaled_addends[kProductRows][kProductColumns];  // binary32
  uint32_t reading;
  int scale;  // of the results
};
static_assert(kCpuBf16Shape.iterations * sizeof(IntegerProduct) <= kMemoryWords * sizeof(uint32_t),
              "they lie in the job's memory");

static inline uint32_t bfloat16_of(int32_t value, int scale) { return scaled_binary32(value, scale) >> 16; }

static inline uint32_t word_of_pair(const int32_t* values, uint32_t k, int scale) {
  return bfloat16_of(values[2 * k], scale) | bfloat16_of(values[2 * k + 1], scale) << 16;
}

static inline uint32_t word_of_quad(const int32_t* values, uint32_t k) {
  uint32_t word = 0;
  for (uint32_t n = 0; n < 4; n++) word |= (static_cast<uint32_t>(values[4 * k + n]) & 0xffu) << 8 * n;
  return word;
}

// The operand words of one lane.
static inline void take_lane(const uint32_t* buffer, uint32_t lane, uint32_t* operands) {
  for (uint32_t w = 0; w < kCpuBf16Shape.operand_words; w++) operands[w] = buffer[w * kLanes + lane];
}

static inline void fill_rows(const uint32_t* operands, IntegerProduct& product) {
  int32_t values[kProductDepth];
  for (uint32_t r = 0; r < kProductRows; r++) {
    product_row(operands, r, values);
    for (uint32_t k = 0; k < kPairs; k++) product.pairs_a[r][k] = word_of_pair(values, k, scale_a(operands[kRowsSeed]));
    for (uint32_t k = 0; k < kQuads; k++) product.quads_a[r][k] = word_of_quad(values, k);
  }
}

static inline void fill_columns(const uint32_t* operands, uint32_t lane, IntegerProduct& product) {
  int32_t values[kProductDepth];
  for (uint32_t c = 0; c < kLaneColumns; c++) {
    const uint32_t column = lane + c * kLanes;
    product_column(operands, c, values);
    for (uint32_t k = 0; k < kPairs; k++) {
      product.pairs_b[k][column] = word_of_pair(values, k, scale_b(operands[kRowsSeed]));
    }
    for (uint32_t k = 0; k < kQuads; k++) product.quads_b[k][column] = word_of_quad(values, k);
    for (uint32_t r = 0; r < kProductRows; r++) {
      const uint32_t addend = operands[kAddends + c * kProductRows + r];
      product.addends[r][column] = addend;
      product.scaled_addends[r][column] = scaled_binary32(static_cast<int32_t>(addend), product.scale);
    }
  }
}

static inline void fill_product(const uint32_t* buffer, IntegerProduct& product) {
  uint32_t operands[kCpuBf16Shape.operand_words];
  for (uint32_t lane = 0; lane < kLanes; lane++) {
    take_lane(buffer, lane, operands);
    if (lane == 0) {
      product.reading = operands[kReading];
      product.scale = scale_a(operands[kRowsSeed]) + scale_b(operands[kRowsSeed]);
      fill_rows(operands, product);
    }
    fill_columns(operands, lane, product);
  }
}

// All products of an execution, in the job's memory.
static inline const IntegerProduct* fill_products(const UnitJob& job) {
  auto* products = reinterpret_cast<IntegerProduct*>(job.memory);
  for (uint32_t i = 0; i < kCpuBf16Shape.iterations; i++) {
    fill_product(job.golden->operands + i * kCpuBf16Shape.operand_words * kLanes, products[i]);
  }
  return products;
}

}  // namespace sentinel
