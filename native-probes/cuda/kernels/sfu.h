// sfu: MUFU in all its functions. Nothing but other SMs says what is right, so that results are kept for the host, which
// looks whether the SMs can be right.
#pragma once
#include "../../core/sfu.h"
#include "../skeleton.h"

namespace sentinel {

struct SfuResults {
  uint32_t words[kSfuResultWords];

  SENTINEL_DEVICE SfuResults of(const SfuOperands& x) {
    return {{canonical(device::ex2_f32(x.exponent)), canonical(device::lg2_f32(x.positive)),
             canonical(device::rcp_f32(x.positive)), canonical(device::rsqrt_f32(x.positive)),
             canonical(device::sqrt_f32(x.positive)), canonical(device::sin_f32(x.angle)),
             canonical(device::cos_f32(x.angle)), canonical(device::tanh_f32(x.middling))}};
  }

  SENTINEL_MEMBER void pass(const ResultTap& tapped) {
    SENTINEL_UNROLLED
    for (uint32_t w = 0; w < kSfuResultWords; w++) words[w] = tapped(w, words[w]);
  }
};

// Keeps the results of the sampled block, where the lane's warp is the first one of the sampled group.
class SfuKeeper {
 public:
  SENTINEL_MEMBER SfuKeeper(const LaunchArguments& arguments, const WarpLane& lane)
      : arguments_(arguments),
        first_word_(lane.smid * kSfuSampleWords + lane.place),
        block_(sfu_sample(arguments.seed).block),
        keeps_(arguments.results != 0 && lane.warp == sfu_sample(arguments.seed).group * kWarpsPerGroup) {}

  SENTINEL_MEMBER void see(uint32_t iteration, const SfuResults& results) const {
    if (!keeps_ || iteration / kGpuBlock != block_) return;
    uint32_t* out = table<uint32_t>(arguments_.results) + first_word_;
    SENTINEL_UNROLLED
    for (uint32_t w = 0; w < kSfuResultWords; w++)
      out[(iteration % kGpuBlock * kSfuResultWords + w) * kWarpLanes] = results.words[w];
  }

 private:
  const LaunchArguments& arguments_;
  const uint32_t first_word_, block_;
  const bool keeps_;
};

struct SfuUnit {
  SENTINEL_DEVICE void run_warp(const LaunchArguments& arguments, const WarpLane& lane) {
    LaneResults folded(arguments, lane);
    const SfuKeeper keeper(arguments, lane);
    SENTINEL_ROLLED
    for (uint32_t iteration = 0; iteration < arguments.iterations; iteration++) {
      SfuResults results = SfuResults::of(sfu_operands(arguments.seed, lane.logical(), iteration));
      results.pass(ResultTap(lane.logical(), iteration));
      SENTINEL_UNROLLED
      for (uint32_t w = 0; w < kSfuResultWords; w++) folded.add(results.words[w]);
      keeper.see(iteration, results);
      folded.end_iteration(iteration);
    }
    folded.finish();
  }
};

}  // namespace sentinel

SENTINEL_WARP_KERNELS(sfu, sentinel::SfuUnit)
