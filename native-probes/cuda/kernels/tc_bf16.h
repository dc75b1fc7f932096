// tc_bf16: HMMA of bfloat16 with binary32 accumulators.
#pragma once
#include "../tensor.h"

SENTINEL_LANE_KERNELS(tc_bf16, sentinel::TcFloatUnit<sentinel::TcBf16, sentinel::device::mma_bf16>)
