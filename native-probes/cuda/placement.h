// Which SMs a launch reached, from what its blocks left behind. Pure.
#pragma once
#include <string>
#include <vector>

#include "launch.h"

namespace sentinel::cuda {

// What came back of one launch and its relaunches; tables by %smid.
struct Returned {
  const uint32_t* claims;
  const SmRecord* records;
  const uint32_t* digests;  // [slots][kFullWarps][kWarpLanes]
  uint32_t slots;
  uint32_t ticket;
};

enum class Seat {
  kRan,
  kMissing,    // no block took the ticket there: relaunch
  kDiscarded,  // a block took it, and what it left cannot be used
};

struct Placed {
  Seat seat;
  std::string why;  // of kDiscarded
};

Placed placed_on(const Returned& returned, uint32_t smid);

// Those of `sms` that no block has reached yet, in the same order.
std::vector<uint32_t> missing_of(const Returned& returned, const std::vector<uint32_t>& sms);

}  // namespace sentinel::cuda
