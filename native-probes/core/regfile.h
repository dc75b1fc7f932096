// Family regfile: a march over 240 registers of every thread. Register k = 0..239 holds p_k, each computed from its
// neighbour so that a kernel needs no table: p_0 = first, p_(k+1) = rotl(p_k, turn) + step.
//
// A kernel, per iteration: write p into all registers; upwards, read p_k (read 0) and write ~p_k; downwards, read ~p_k
// (read 1). All 240 are live between the parts (each passes through device::opaque), and the complement of k is written
// after k was read.
//
// Result words of read r are 4r + 0..3, in the order in which that read meets the registers: the sum of the words; the
// sum of the partial sums; the or of the bits that differed from what was written, which must be 0; the sum over
// k = 0..79 of word(k) ^ word(k + 80) ^ word(k + 160), a LOP3 of three registers.
#pragma once
#include "random.h"

namespace sentinel {

constexpr uint32_t kRegfileRegisters = 240;
constexpr uint32_t kRegfileThird = kRegfileRegisters / 3;
constexpr uint32_t kRegfileIterations = 32;
constexpr uint32_t kRegfileResultWords = 8;

struct RegfilePattern {
  uint32_t first, step, turn;

  SENTINEL_CORE_MEMBER uint32_t next(uint32_t p) const { return rotate_left32(p, turn) + step; }
  SENTINEL_CORE_MEMBER uint32_t previous(uint32_t p) const { return rotate_left32(p - step, 32 - turn); }
};

// The class of iteration i is i mod 8.
SENTINEL_CORE RegfilePattern regfile_pattern(uint64_t seed, uint32_t lane, uint32_t iteration) {
  switch (iteration & 7) {
    case 0: return {0, 0, 0};
    case 1: return {~0u, 0, 0};
    case 2: return {0x55555555u, 0, 0};                             // neighbouring bits
    case 3: return {0x55555555u, 0, 1};                             // and neighbouring registers
    case 4: return {0x33333333u, 0, 2};
    case 5: return {1u << ((iteration / 8 + lane * 5) & 31), 0, 1};  // walking
    case 6: return {lane * 0x04040404u, 0x01010101u, 0};            // address in data
    default: return {rand32(seed, lane, iteration * 2), rand32(seed, lane, iteration * 2 + 1) | 1, 7};
  }
}

// The four words of one read, of what it met in turn.
struct RegfileRead {
  uint32_t sum = 0, partial_sums = 0;

  SENTINEL_CORE_MEMBER void add(uint32_t word) {
    sum += word;
    partial_sums += sum;
  }
};

SENTINEL_CORE void regfile_results(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t* results) {
  const RegfilePattern pattern = regfile_pattern(seed, lane, iteration);
  uint32_t registers[kRegfileRegisters];
  RegfileRead up, down;
  uint32_t p = pattern.first;
  for (uint32_t k = 0; k < kRegfileRegisters; k++, p = pattern.next(p)) {
    registers[k] = p;
    up.add(p);
  }
  for (uint32_t k = kRegfileRegisters; k-- > 0;) down.add(~registers[k]);
  uint32_t triples = 0, complemented_triples = 0;
  for (uint32_t k = 0; k < kRegfileThird; k++) {
    const uint32_t triple = registers[k] ^ registers[k + kRegfileThird] ^ registers[k + 2 * kRegfileThird];
    triples += triple;
    complemented_triples += ~triple;  // of three complements
  }
  const uint32_t words[kRegfileResultWords] = {up.sum,   up.partial_sums,   0, triples,
                                               down.sum, down.partial_sums, 0, complemented_triples};
  for (uint32_t w = 0; w < kRegfileResultWords; w++) results[w] = words[w];
}

}  // namespace sentinel
