// int_aes: the integer units by core's own AES and chains. The operands of a lane are computed by its partner and reach
// it through shuffles and votes, which therefore must be right for the golden to be met.
#pragma once
#include "../../core/int_aes.h"
#include "../skeleton.h"

namespace sentinel {

struct IntAesUnit {
  // Bit by bit: what the lane `place` of this warp holds.
  SENTINEL_DEVICE uint32_t by_votes(uint32_t word, uint32_t place) {
    uint32_t received = 0;
    for (uint32_t bit = 0; bit < 32; bit++) received |= (device::ballot((word >> bit & 1) != 0) >> place & 1) << bit;
    return received;
  }

  SENTINEL_DEVICE uint32_t iterate(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t digest) {
    const uint32_t distance = 1 + iteration % (kWarpLanes - 1);
    const uint32_t partner = lane ^ distance;
    uint32_t operands[kIntAesShape.operand_words];
    int_aes_operands(seed, partner, iteration, operands);
    for (uint32_t k = 0; k < kChainStart; k++) operands[k] = device::shuffle_xor(operands[k], distance);
    operands[kChainStart] = by_votes(operands[kChainStart], partner % kWarpLanes);
    uint32_t results[kIntAesShape.result_words];
    int_aes_results(operands, results);
    const ResultTap tapped(lane, iteration);
    for (uint32_t k = 0; k < kIntAesShape.result_words; k++) digest = fold(digest, tapped(k, device::opaque(results[k])));
    return digest;
  }
};

}  // namespace sentinel

SENTINEL_LANE_KERNELS(int_aes, sentinel::IntAesUnit)
