#include "exactness.h"

#include <math.h>
#include <string.h>

#include "../core/fma32.h"
#include "../cpu/int_aes_unit.h"

namespace sentinel {
namespace {

float as_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

uint32_t as_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return canonical(bits);
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

void compare(Fma32Operands x, ExactnessReport& report) {
  uint32_t software[kFma32Shape.result_words], hardware[kFma32Shape.result_words];
  fma32_results(x, software);
  hardware_results(x, hardware);
  for (uint32_t w = 0; w < kFma32Shape.result_words; w++) {
    if (software[w] == hardware[w] || report.mismatches++ > 0) continue;
    report.operation = w;
    report.operands[0] = x.a;
    report.operands[1] = x.b;
    report.operands[2] = x.c;
    report.software = software[w];
    report.hardware = hardware[w];
  }
}

}  // namespace

ExactnessReport check_exactness(uint64_t vectors, uint32_t epoch) {
  ExactnessReport report{};
  for (uint32_t index = 0; report.vectors < vectors; index++) {
    const uint64_t seed = seed_of(Family::kFma32, epoch, index);
    for (uint32_t k = 0; k < kLanes * kFma32Shape.iterations && report.vectors < vectors; k++, report.vectors++) {
      compare(fma32_operands(seed, k / kFma32Shape.iterations, k % kFma32Shape.iterations), report);
    }
  }
  return report;
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
