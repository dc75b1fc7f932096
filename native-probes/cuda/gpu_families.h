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
  const char* instructions;  // separated by spaces
};

constexpr GpuFamilyInfo kGpuFamilies[] = {
    {Family::kFma32, "fma32", "FFMA FADD FMUL F2I I2F F2F"},
    {Family::kFma64, "fma64", "DFMA DADD DMUL F2I I2F F2F"},
    {Family::kFma16, "fma16", "HFMA2 HADD2 HMUL2"},
    {Family::kBf16, "bf16", "HFMA2.BF16"},
    {Family::kTcFp16, "tc_fp16", "HMMA"},
    {Family::kTcBf16, "tc_bf16", "HMMA"},
    {Family::kTcTf32, "tc_tf32", "HMMA"},
    {Family::kTcFp8, "tc_fp8", "QMMA QGMMA"},
    {Family::kTcInt8, "tc_int8", "IMMA"},
    {Family::kTcFp64, "tc_fp64", "DMMA"},
    {Family::kSfu, "sfu", "MUFU"},
    {Family::kIntAes, "int_aes", "LOP3 SHF IMAD PRMT POPC SHFL VOTE"},
    {Family::kRegfile, "regfile", "LOP3"},
    {Family::kSmem, "smem", "LDS STS LDSM LDGSTS"},
    {Family::kL2, "l2", "LDG ATOMG"},
    {Family::kHbm, "hbm", "LDG STG"},
    {Family::kCopy, "copy", "LDG STG"},
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
