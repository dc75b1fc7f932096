// The families that GPUs run, and what each needs.
#pragma once
#include "../core/copy.h"
#include "../core/gpu_families.h"
#include "../core/l2.h"

namespace sentinel::cuda {

constexpr uint64_t kHbmL2Multiple = 3;  // so much more than the cache holds does not stay in it

struct GpuFamilyInfo {
  Family family;
  const char* name;
};

constexpr GpuFamilyInfo kGpuFamilies[] = {
    {Family::kFma32, "fma32"},
    {Family::kFma64, "fma64"},
    {Family::kFma16, "fma16"},
    {Family::kBf16, "bf16"},
    {Family::kTcFp16, "tc_fp16"},
    {Family::kTcBf16, "tc_bf16"},
    {Family::kTcTf32, "tc_tf32"},
    {Family::kTcFp8, "tc_fp8"},
    {Family::kTcInt8, "tc_int8"},
    {Family::kTcFp64, "tc_fp64"},
    {Family::kSfu, "sfu"},
    {Family::kIntAes, "int_aes"},
    {Family::kRegfile, "regfile"},
    {Family::kSmem, "smem"},
    {Family::kL2, "l2"},
    {Family::kHbm, "hbm"},
    {Family::kCopy, "copy"},
};
constexpr uint32_t kGpuFamilyCount = sizeof kGpuFamilies / sizeof kGpuFamilies[0];

constexpr const char* gpu_family_name(Family family) {
  for (const GpuFamilyInfo& info : kGpuFamilies) {
    if (info.family == family) return info.name;
  }
  return "";
}

// Bytes of the arena that a family works on, divided among `share` SMs; 0: of none.
inline uint64_t arena_need(Family family, uint64_t l2_bytes, uint32_t share) {
  switch (family) {
    case Family::kL2: return l2_bytes * 6 / 10;
    case Family::kHbm: return l2_bytes * kHbmL2Multiple;
    case Family::kCopy: return 2 * copy_bytes(share);
    default: return 0;
  }
}

// Whether each SM's part is enough for one row of its columns.
inline bool is_enough(Family family, uint64_t bytes, uint32_t share) {
  const uint32_t words = region_words(bytes, share);
  switch (family) {
    case Family::kL2: return words > kL2AtomicWords && column_words(words - kL2AtomicWords) > 0;
    case Family::kHbm: return column_words(words) > 0;
    default: return true;
  }
}

}  // namespace sentinel::cuda
