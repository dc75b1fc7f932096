#include "placement.h"

#include <algorithm>

namespace sentinel::fake {

Placement::Placement(const std::vector<uint32_t>& smids, uint32_t blocks_per_sm) {
  // From the last SM to the first: nobody may take the number of a block for that of its SM.
  for (uint32_t layer = 0; layer < blocks_per_sm; layer++) {
    for (auto smid = smids.rbegin(); smid != smids.rend(); smid++) slots_.push_back({*smid, 0});
  }
}

uint32_t Placement::place() {
  const auto first = std::min_element(slots_.begin(), slots_.end(),
                                      [](const Slot& a, const Slot& b) { return a.busy_until < b.busy_until; });
  last_ = static_cast<uint32_t>(first - slots_.begin());
  return first->smid;
}

void Placement::release(uint64_t ran_ns) { slots_[last_].busy_until += ran_ns + 1; }

}  // namespace sentinel::fake
