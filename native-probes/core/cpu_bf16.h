// Family cpu_bf16: matrix products of integers that are exact in every order of summation. An iteration is C + A B with
// 16 rows, 16 columns and 64 products per sum; a lane has the columns `lane` and `lane + 8`.
#pragma once
#include "convert32.h"
#include "random.h"

namespace sentinel {

constexpr uint32_t kProductRows = 16;
constexpr uint32_t kProductColumns = 16;
constexpr uint32_t kProductDepth = 64;  // bytes of a row of A, and of a column of B
constexpr uint32_t kLaneColumns = 2;

// Operand words of a lane: two seeds, how the bytes are read, and the addends column by column as two's complement.
constexpr uint32_t kRowsSeed = 0;
constexpr uint32_t kColumnsSeed = 1;
constexpr uint32_t kReading = 2;
constexpr uint32_t kAddends = 3;
constexpr uint32_t kCpuBf16Words = kLaneColumns * kProductRows;  // of addends, and of results

// Bits of the reading: the bytes of A, or of B, are 0..255; else they are -128..127.
constexpr uint32_t kUnsignedA = 1;
constexpr uint32_t kUnsignedB = 2;

// Bytes 8q .. 8q + 7 of a row or column, lowest first.
SENTINEL_CORE uint64_t eight_bytes(uint32_t seed, uint32_t line, uint32_t q) {
  return mix64(seed + (line * (kProductDepth / 8) + q + 1) * kGolden64);
}

// Rows of A by their number modulo 4: 1 has one bit set in each byte, 2 all but one; the others are random.
SENTINEL_CORE uint32_t byte_of_row(uint32_t row, uint32_t random) {
  const uint32_t one_hot = 1u << (random & 7);
  return (row & 3) == 1 ? one_hot : (row & 3) == 2 ? 0xffu ^ one_hot : random;
}

SENTINEL_CORE int32_t byte_value(uint32_t byte, bool is_unsigned) {
  const uint32_t weight_of_top = is_unsigned ? 0 : 256;
  return static_cast<int32_t>(byte) - static_cast<int32_t>((byte >> 7) * weight_of_top);
}

// A's and B's powers of two: the exponents of the bfloat16 operands. Their sum is that of the results.
SENTINEL_CORE int scale_a(uint32_t rows_seed) { return static_cast<int>(rows_seed & 31) - 16; }
SENTINEL_CORE int scale_b(uint32_t rows_seed) { return static_cast<int>(rows_seed >> 5 & 31) - 16; }

// value * 2^scale as binary32, exact for |value| < 2^24.
SENTINEL_CORE uint32_t scaled_binary32(int32_t value, int scale) {
  const uint32_t bits = from_int32(static_cast<uint32_t>(value));
  return bits == 0 ? 0 : bits + (static_cast<uint32_t>(scale) << 23);
}

// The 64 bytes of a row of A, or of a column of B, as integers.
SENTINEL_CORE void product_row(const uint32_t* operands, uint32_t row, int32_t* values) {
  const bool is_unsigned = (operands[kReading] & kUnsignedA) != 0;
  for (uint32_t q = 0; q < kProductDepth / 8; q++) {
    const uint64_t bytes = eight_bytes(operands[kRowsSeed], row, q);
    for (uint32_t k = 0; k < 8; k++) {
      const uint32_t byte = byte_of_row(row, static_cast<uint32_t>(bytes >> 8 * k) & 0xffu);
      values[8 * q + k] = byte_value(byte, is_unsigned);
    }
  }
}
SENTINEL_CORE void product_column(const uint32_t* operands, uint32_t column, int32_t* values) {
  const bool is_unsigned = (operands[kReading] & kUnsignedB) != 0;
  for (uint32_t q = 0; q < kProductDepth / 8; q++) {
    const uint64_t bytes = eight_bytes(operands[kColumnsSeed], column, q);
    for (uint32_t k = 0; k < 8; k++) {
      values[8 * q + k] = byte_value(static_cast<uint32_t>(bytes >> 8 * k) & 0xffu, is_unsigned);
    }
  }
}

// Both columns of a lane, so that one multiplication serves both: the second one in the upper half.
struct ColumnPair {
  int64_t values[kProductDepth];
};

SENTINEL_CORE void product_columns(const uint32_t* operands, ColumnPair& pair) {
  int32_t first[kProductDepth], second[kProductDepth];
  product_column(operands, 0, first);
  product_column(operands, 1, second);
  for (uint32_t k = 0; k < kProductDepth; k++) pair.values[k] = first[k] + second[k] * (int64_t{1} << 32);
}

SENTINEL_CORE void sums_of_products(const int32_t* row, const ColumnPair& columns, int32_t* sums) {
  int64_t both = 0;
  for (uint32_t k = 0; k < kProductDepth; k++) both += row[k] * columns.values[k];
  sums[0] = static_cast<int32_t>(both);
  sums[1] = static_cast<int32_t>((both - sums[0]) >> 32);
}

// |sum| < 2^22 and |addend| < 2^23 + 2^22, so that every partial sum is an integer below 2^24. By the row's number
// modulo 4: 0 none; 1 large, so that the result has all 24 bits; 2 random; 3 cancels all but a small rest.
SENTINEL_CORE int32_t product_addend(uint32_t row, uint32_t random, int32_t sum) {
  switch (row & 3) {
    case 0: return 0;
    case 1: {
      const int32_t large = static_cast<int32_t>(0x800000u | (random & 0x3fffffu));
      return (random & kSign) != 0 ? -large : large;
    }
    case 2: return static_cast<int32_t>(random & 0x7fffffu) - 0x400000;
    default: return static_cast<int32_t>(random & 0xffu) - 128 - sum;
  }
}

SENTINEL_CORE void cpu_bf16_operands(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t* operands) {
  const uint32_t first = iteration * (kCpuBf16Words + 1);
  operands[kRowsSeed] = rand32(seed, kLanes, iteration);  // the same for all lanes
  operands[kColumnsSeed] = rand32(seed, lane, first);
  operands[kReading] = iteration & 3;
  int32_t row[kProductDepth];
  ColumnPair columns;
  product_columns(operands, columns);
  for (uint32_t r = 0; r < kProductRows; r++) {
    int32_t sums[kLaneColumns] = {0, 0};
    if ((r & 3) == 3) {
      product_row(operands, r, row);
      sums_of_products(row, columns, sums);
    }
    for (uint32_t c = 0; c < kLaneColumns; c++) {
      const uint32_t word = c * kProductRows + r;
      const int32_t addend = product_addend(r, rand32(seed, lane, first + 1 + word), sums[c]);
      operands[kAddends + word] = static_cast<uint32_t>(addend);
    }
  }
}

// Result word 16 c + r: row r of the lane's column c, binary32.
SENTINEL_CORE void cpu_bf16_results(const uint32_t* operands, uint32_t* results) {
  const int scale = scale_a(operands[kRowsSeed]) + scale_b(operands[kRowsSeed]);
  int32_t row[kProductDepth];
  ColumnPair columns;
  product_columns(operands, columns);
  for (uint32_t r = 0; r < kProductRows; r++) {
    int32_t sums[kLaneColumns];
    product_row(operands, r, row);
    sums_of_products(row, columns, sums);
    for (uint32_t c = 0; c < kLaneColumns; c++) {
      const uint32_t word = c * kProductRows + r;
      results[word] = scaled_binary32(static_cast<int32_t>(operands[kAddends + word]) + sums[c], scale);
    }
  }
}

}  // namespace sentinel
