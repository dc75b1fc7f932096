// Which SM the next block of a launch goes to.
#pragma once
#include <stdint.h>

#include <vector>

namespace sentinel::fake {

// The place that is free first; of those that are free alike the SM with the fewest blocks. Time is that of the blocks
// themselves: they run one after the other here, but side by side on a GPU.
class Placement {
 public:
  Placement(const std::vector<uint32_t>& smids, uint32_t blocks_per_sm);

  bool any_sm() const { return !slots_.empty(); }
  // %smid of the next block, which then occupies its place until `release`.
  uint32_t place();
  void release(uint64_t ran_ns);

 private:
  struct Slot {
    uint32_t smid;
    uint64_t busy_until;
  };

  std::vector<Slot> slots_;
  uint32_t last_ = 0;
};

}  // namespace sentinel::fake
