// cpu_reg on AVX2: a march over the sixteen vector registers. Each write gets another entry of the physical register
// file, so the march goes through the file as the core hands its entries out.
#pragma once
#include "../core/cpu_reg.h"
#include "vector_unit.h"

namespace sentinel {

// One round per turn of the lanes.
constexpr uint32_t kCpuRegRounds = kLanes;

struct alignas(32) RegisterImage {
  uint32_t words[kRegisters][kLanes];
};

// Writes all registers, complements each seventeen times and reads them, complements each seventeen times again and
// reads them. Ascending first, behind a chain of multiplications that keeps everything younger from retiring: no entry
// is freed, until all are in use. Then descending, and never from the bypass network: what a fence separates was
// written back.
inline __attribute__((noinline)) void march_registers(const RegisterImage& first, RegisterImage& complemented,
                                                      RegisterImage& restored) {
  alignas(32) static const uint32_t ones[kLanes] = {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u};
  uint64_t chain = opaque(uint64_t{3});
  asm volatile(
      ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
      "vmovdqa \\r*32(%[first]), %%ymm\\r\n\t"
      ".endr\n\t"
      "lfence\n\t"
      ".rept 64\n\t"
      "imulq %[chain], %[chain]\n\t"
      ".endr\n\t"
      ".rept 17\n\t"
      ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
      "vpxor (%[ones]), %%ymm\\r, %%ymm\\r\n\t"
      ".endr\n\t"
      ".endr\n\t"
      "lfence\n\t"
      ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
      "vmovdqa %%ymm\\r, \\r*32(%[complemented])\n\t"
      ".endr\n\t"
      ".rept 17\n\t"
      "lfence\n\t"
      ".irp r,15,14,13,12,11,10,9,8,7,6,5,4,3,2,1,0\n\t"
      "vpxor (%[ones]), %%ymm\\r, %%ymm\\r\n\t"
      ".endr\n\t"
      ".endr\n\t"
      "lfence\n\t"
      ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
      "vmovdqa %%ymm\\r, \\r*32(%[restored])\n\t"
      ".endr\n\t"
      "vzeroupper\n\t"
      : [chain] "+r"(chain)
      : [first] "r"(&first), [complemented] "r"(&complemented), [restored] "r"(&restored), [ones] "r"(ones)
      : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

template <class Tap>
struct CpuRegRound {
  Tap& tap;
  const LaneTurn turn;
  uint32_t* results;
  __m256i digest;

  void keep(const RegisterImage& image) {
    for (uint32_t k = 0; k < kRegisters; k++) {
      const __m256i value = opaque(load_lanes(image.words[k]));
      const __m256i word = turn.to_logical(tap.template lanes<ResultKind::kBits>(value));
      store_lanes(results, word);
      results += kLanes;
      digest = fold_lanes_of(digest, word);
    }
  }

  void iterate(const uint32_t* operands) {
    RegisterImage first, complemented, restored;
    for (uint32_t k = 0; k < kRegisters; k++) {
      store_lanes(first.words[k], turn.to_physical(load_lanes(operands + k * kLanes)));
    }
    march_registers(first, complemented, restored);
    keep(complemented);
    keep(restored);
  }
};

template <class Tap>
UnitOutcome run_cpu_reg(const UnitJob& job, Tap& tap) {
  return run_rounds(job, kCpuRegRounds, [&](uint32_t r, uint32_t* lane_digests) {
    CpuRegRound<Tap> round{tap, LaneTurn(r), job.results, _mm256_setzero_si256()};
    for (uint32_t i = 0; i < kCpuRegShape.iterations; i++) {
      round.iterate(job.golden->operands + i * kCpuRegShape.operand_words * kLanes);
    }
    store_lanes(lane_digests, round.digest);
  });
}

}  // namespace sentinel
