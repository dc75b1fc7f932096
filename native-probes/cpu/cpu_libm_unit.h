// cpu_libm: the machine's math library, one call per lane, and the vector instructions for roots and quotients.
#pragma once
#include <math.h>

#include "../core/cpu_libm.h"
#include "fma64_unit.h"

namespace sentinel {

// One round per turn of the lanes.
constexpr uint32_t kCpuLibmRounds = kLanes;

using DoubleFunction = double (*)(double);
using SingleFunction = float (*)(float);

// In the order of Function, without pow.
constexpr DoubleFunction kDoubleFunctions[] = {exp, exp2, log, log2, sin, cos, tan, tanh};
constexpr SingleFunction kSingleFunctions[] = {expf, exp2f, logf, log2f, sinf, cosf, tanf, tanhf};
constexpr uint32_t kUnaryFunctions = kFunctions - 1;

template <class Tap>
struct CpuLibmRound {
  Fma64Round<Tap> lanes;
  const uint32_t turn;

  // Logical lane of a physical one.
  uint32_t logical(uint32_t p) const { return (p + turn) % kLanes; }

  static double double_at(const uint32_t* operands, uint32_t word, uint32_t lane) {
    const uint64_t bits = operands[word * kLanes + lane] | static_cast<uint64_t>(operands[(word + 1) * kLanes + lane]) << 32;
    double value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
  }
  static float single_at(const uint32_t* operands, uint32_t word, uint32_t lane) {
    float value;
    __builtin_memcpy(&value, operands + word * kLanes + lane, sizeof value);
    return value;
  }

  template <class Call>
  void keep_doubles(Call call) {
    uint32_t low[kLanes], high[kLanes];
    for (uint32_t p = 0; p < kLanes; p++) {
      const double value = call(logical(p));
      uint64_t bits;
      __builtin_memcpy(&bits, &value, sizeof bits);
      bits = shortened(bits);
      low[p] = static_cast<uint32_t>(bits);
      high[p] = static_cast<uint32_t>(bits >> 32);
    }
    lanes.template keep<ResultKind::kBits>(load_lanes(low));
    lanes.template keep<ResultKind::kBits>(load_lanes(high));
  }

  template <class Call>
  void keep_singles(Call call) {
    uint32_t words[kLanes];
    for (uint32_t p = 0; p < kLanes; p++) {
      const float value = call(logical(p));
      __builtin_memcpy(words + p, &value, sizeof value);
      words[p] = static_cast<uint32_t>(shortened(words[p]));
    }
    lanes.template keep<ResultKind::kBits>(load_lanes(words));
  }

  void call_functions(const uint32_t* operands) {
    const auto x = [&](uint32_t f, uint32_t lane) { return double_at(operands, kDoubleArguments + 2 * f, lane); };
    const auto z = [&](uint32_t f, uint32_t lane) { return single_at(operands, kSingleArguments + f, lane); };
    for (uint32_t f = 0; f < kUnaryFunctions; f++) {
      keep_doubles([&](uint32_t lane) { return kDoubleFunctions[f](x(f, lane)); });
    }
    keep_doubles([&](uint32_t lane) { return pow(x(kUnaryFunctions, lane), x(kFunctions, lane)); });
    for (uint32_t f = 0; f < kUnaryFunctions; f++) {
      keep_singles([&](uint32_t lane) { return kSingleFunctions[f](z(f, lane)); });
    }
    keep_singles([&](uint32_t lane) { return powf(z(kUnaryFunctions, lane), z(kFunctions, lane)); });
  }

  __m256i operand(const uint32_t* operands, uint32_t word) const {
    return opaque(lanes.turn.to_physical(load_lanes(operands + word * kLanes)));
  }
  Wide wide_operand(const uint32_t* operands, uint32_t word) const {
    return WideWords{operand(operands, word), operand(operands, word + 1)}.joined();
  }

  void divide(const uint32_t* operands) {
    const Wide a = wide_operand(operands, kDoubleDividends), b = wide_operand(operands, kDoubleDividends + 2);
    lanes.keep(Wide{_mm256_sqrt_pd(a.first), _mm256_sqrt_pd(a.second)});
    lanes.keep(Wide{_mm256_div_pd(a.first, b.first), _mm256_div_pd(a.second, b.second)});
    const __m256 c = _mm256_castsi256_ps(operand(operands, kSingleDividends));
    const __m256 d = _mm256_castsi256_ps(operand(operands, kSingleDividends + 1));
    lanes.template keep<ResultKind::kBinary32>(_mm256_castps_si256(_mm256_sqrt_ps(c)));
    lanes.template keep<ResultKind::kBinary32>(_mm256_castps_si256(_mm256_div_ps(c, d)));
  }
};

template <class Tap>
UnitOutcome run_cpu_libm(const UnitJob& job, Tap& tap) {
  set_default_control();
  return run_rounds(job, kCpuLibmRounds, [&](uint32_t r, uint32_t* lane_digests) {
    CpuLibmRound<Tap> round{{tap, LaneTurn(r), job.results, _mm256_setzero_si256()}, r};
    for (uint32_t i = 0; i < kCpuLibmShape.iterations; i++) {
      const uint32_t* operands = job.golden->operands + i * kCpuLibmShape.operand_words * kLanes;
      round.call_functions(operands);
      round.divide(operands);
    }
    store_lanes(lane_digests, round.lanes.digest);
  });
}

}  // namespace sentinel
