// tc_tf32: HMMA of tf32 with binary32 accumulators.
#pragma once
#include "../tensor.h"

SENTINEL_LANE_KERNELS(tc_tf32, sentinel::TcFloatUnit<sentinel::TcTf32, sentinel::device::mma_tf32>)
