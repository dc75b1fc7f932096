#include "exactness.h"

#include <math.h>
#include <string.h>

#include "../core/fma32.h"
#include "../core/fma64.h"
#include "../cpu/int_aes_unit.h"

namespace sentinel {
namespace {

float as_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

double as_double(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

uint32_t as_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return canonical(bits);
}

uint64_t as_bits64(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return canonical64(bits);
}

// Scalar forms: another code path than the kernels', whose packed ones the known answers check.
void hardware_results(Fma32Operands x, uint32_t* results) {
  volatile float a = as_float(x.a), b = as_float(x.b), c = as_float(x.c);
  volatile float product = a * b;  // stored, so that no compiler contracts it
  const uint32_t half = _cvtss_sh(c, _MM_FROUND_TO_NEAREST_INT);
  results[0] = as_bits(fmaf(a, b, c));
  results[1] = as_bits(a + c);
  results[2] = as_bits(product);
  results[3] = static_cast<uint32_t>(_mm_cvtss_si32(_mm_set_ss(as_float(integer_range(x.a)))));
  results[4] = as_bits(static_cast<float>(static_cast<int32_t>(x.b)));
  results[5] = (half & 0x7fffu) > 0x7c00u ? kCanonicalNan16 : half;
  results[6] = as_bits(_cvtsh_ss(static_cast<uint16_t>(x.c)));
}

void hardware_results(Fma64Operands x, uint32_t* results) {
  volatile double a = as_double(x.a), b = as_double(x.b), c = as_double(x.c);
  volatile double product = a * b;
  volatile float low_of_c = as_float(static_cast<uint32_t>(x.c));
  store64(results, as_bits64(fma(a, b, c)));
  store64(results + 2, as_bits64(a + c));
  store64(results + 4, as_bits64(product));
  results[6] = static_cast<uint32_t>(_mm_cvtsd_si32(_mm_set_sd(as_double(integer_range64(x.a)))));
  store64(results + 7, as_bits64(static_cast<double>(static_cast<int32_t>(x.b))));
  results[9] = as_bits(static_cast<float>(c));
  results[10] = as_bits(static_cast<float>(as_double(small_single_range(x.b))));
  store64(results + 11, as_bits64(static_cast<double>(low_of_c)));
}

// What a family's exactness takes: its recipe and its software arithmetic, both of core/.
struct Fma32 {
  static constexpr Family kFamily = Family::kFma32;
  static constexpr FamilyShape kShape = kFma32Shape;
  static constexpr auto operands = fma32_operands;
  static constexpr auto software = fma32_results;
  static void words(Fma32Operands x, uint32_t* words) {
    words[0] = x.a;
    words[1] = x.b;
    words[2] = x.c;
  }
};

struct Fma64 {
  static constexpr Family kFamily = Family::kFma64;
  static constexpr FamilyShape kShape = kFma64Shape;
  static constexpr auto operands = fma64_operands;
  static constexpr auto software = fma64_results;
  static constexpr auto words = fma64_operand_words;
};

template <class Recipe, class Operands>
void compare(Operands x, ExactnessReport& report) {
  uint32_t software[Recipe::kShape.result_words], hardware[Recipe::kShape.result_words];
  Recipe::software(x, software);
  hardware_results(x, hardware);
  for (uint32_t w = 0; w < Recipe::kShape.result_words; w++) {
    if (software[w] == hardware[w] || report.mismatches++ > 0) continue;
    report.word = w;
    report.operand_words = Recipe::kShape.operand_words;
    Recipe::words(x, report.operands);
    report.software = software[w];
    report.hardware = hardware[w];
  }
}

template <class Recipe>
ExactnessReport check(uint64_t vectors, uint32_t epoch) {
  constexpr uint32_t kIterations = Recipe::kShape.iterations;
  ExactnessReport report{};
  for (uint32_t index = 0; report.vectors < vectors; index++) {
    const uint64_t seed = seed_of(Recipe::kFamily, epoch, index);
    for (uint32_t k = 0; k < kLanes * kIterations && report.vectors < vectors; k++, report.vectors++) {
      compare<Recipe>(Recipe::operands(seed, k / kIterations, k % kIterations), report);
    }
  }
  return report;
}

}  // namespace

ExactnessReport check_exactness(Family family, uint64_t vectors, uint32_t epoch) {
  return family == Family::kFma64 ? check<Fma64>(vectors, epoch) : check<Fma32>(vectors, epoch);
}

void hardware_aes(const uint32_t* key, const uint32_t* block, uint32_t* encrypted, uint32_t* decrypted) {
  AesKeys keys;
  expand_keys(_mm_loadu_si128(reinterpret_cast<const __m128i*>(key)), keys);
  __m128i state = _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block)), keys.encrypt[0]);
  for (uint32_t round = 1; round < kAesRounds; round++) state = _mm_aesenc_si128(state, keys.encrypt[round]);
  state = _mm_aesenclast_si128(state, keys.encrypt[kAesRounds]);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(encrypted), state);
  state = _mm_xor_si128(state, keys.decrypt[0]);
  for (uint32_t round = 1; round < kAesRounds; round++) state = _mm_aesdec_si128(state, keys.decrypt[round]);
  state = _mm_aesdeclast_si128(state, keys.decrypt[kAesRounds]);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(decrypted), state);
}

}  // namespace sentinel
