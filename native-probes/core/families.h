// The families and the sizes that their probe versions fix. A change of any number or recipe in core/ is a new probe
// version: digests are compared across SMs, devices and nodes of one version only.
#pragma once
#include "platform.h"

namespace sentinel {

// Values of sentinel.v1.ProbeFamily.
enum class Family : uint32_t {
  kFma32 = 1,
  kIntAes = 2,
  kFma64 = 3,
  kCpuReg = 4,
  kCpuMem = 5,
  kFma16 = 6,
  kBf16 = 7,
  kTcFp16 = 8,
  kTcBf16 = 9,
  kTcTf32 = 10,
  kTcFp8 = 11,
  kTcInt8 = 12,
  kTcFp64 = 13,
  kSfu = 14,
  kRegfile = 15,
  kSmem = 16,
  kL2 = 17,
  kHbm = 18,
  kCopy = 19,
  kCpuLibm = 20,
  kCpuBf16 = 21,
};
constexpr Family kLastFamily = Family::kCpuBf16;

constexpr uint32_t kLanes = 8;

struct FamilyShape {
  uint32_t probe_version;
  uint32_t iterations;
  uint32_t operand_words;  // per (lane, iteration)
  uint32_t result_words;   // per (lane, iteration)
};

constexpr FamilyShape kFma32Shape = {1, 1024, 3, 7};
constexpr FamilyShape kIntAesShape = {1, 32, 9, 17};
constexpr FamilyShape kFma64Shape = {1, 1024, 6, 13};
constexpr FamilyShape kCpuRegShape = {1, 128, 16, 32};
constexpr FamilyShape kFma16Shape = {1, 512, 3, 3};
constexpr FamilyShape kCpuBf16Shape = {1, 16, 35, 32};
constexpr FamilyShape kCpuLibmShape = {1, 16, 36, 33};
constexpr FamilyShape kCpuMemShape = {1, 2752, 2, 9};

// All 0 of a family that CPUs do not run.
SENTINEL_CORE constexpr FamilyShape shape_of(Family family) {
  switch (family) {
    case Family::kFma32: return kFma32Shape;
    case Family::kFma64: return kFma64Shape;
    case Family::kIntAes: return kIntAesShape;
    case Family::kCpuReg: return kCpuRegShape;
    case Family::kCpuMem: return kCpuMemShape;
    case Family::kFma16: return kFma16Shape;
    case Family::kCpuBf16: return kCpuBf16Shape;
    case Family::kCpuLibm: return kCpuLibmShape;
    default: return {0, 0, 0, 0};
  }
}

// On a GPU an execution has 64 logical lanes: group g = 0, 1 of 32 lanes each. Warp w computes group w / 4, so that each
// sub-partition (w mod 4) computes both. A digest that runs over the iterations of a lane is compared every 32 of them.
constexpr uint32_t kGpuLanes = 64;
constexpr uint32_t kGpuGroups = 2;
constexpr uint32_t kGpuBlock = 32;

struct GpuShape {
  uint32_t probe_version;
  uint32_t iterations;    // per logical lane, a multiple of kGpuBlock
  uint32_t result_words;  // folded per (lane, iteration)
};

// Buffers are [iteration][word][lane], so that one word of all lanes is one vector.
SENTINEL_CORE uint32_t word_offset(uint32_t words, uint32_t iteration, uint32_t word, uint32_t lane) {
  return (iteration * words + word) * kLanes + lane;
}

}  // namespace sentinel
