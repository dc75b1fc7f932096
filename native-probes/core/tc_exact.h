// Tensor core families: the result words of any lane and iteration, from integers alone.
#pragma once
#include "tc_float.h"
#include "tc_fp64.h"
#include "tc_int8.h"

namespace sentinel {

// lane: 0..63, of both groups.
SENTINEL_CORE void tc_results(Family family, uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t* results) {
  const TcTile tile = {seed, lane / 32, iteration};
  switch (family) {
    case Family::kTcFp16: return tc_float_results<TcFp16>(tile, lane % 32, results);
    case Family::kTcBf16: return tc_float_results<TcBf16>(tile, lane % 32, results);
    case Family::kTcTf32: return tc_float_results<TcTf32>(tile, lane % 32, results);
    case Family::kTcFp8: return tc_float_results<TcFp8>(tile, lane % 32, results);
    case Family::kTcInt8: return tc_int8_results(tile, lane % 32, results);
    default: return tc_fp64_results(tile, lane % 32, results);
  }
}

}  // namespace sentinel
