// What a family computes on a GPU. An execution has 64 logical lanes (families.h); operands and results of (seed, lane,
// iteration) are those of the family's own header, with lane 0..63.
#pragma once
#include "families.h"

namespace sentinel {

constexpr GpuShape kFma32GpuShape = {1, 512, 7};
constexpr GpuShape kFma64GpuShape = {1, 512, 13};
constexpr GpuShape kIntAesGpuShape = {1, 32, 17};

// All 0 of a family that GPUs do not run.
SENTINEL_CORE constexpr GpuShape gpu_shape_of(Family family) {
  switch (family) {
    case Family::kFma32: return kFma32GpuShape;
    case Family::kFma64: return kFma64GpuShape;
    case Family::kIntAes: return kIntAesGpuShape;
    default: return {0, 0, 0};
  }
}

}  // namespace sentinel
