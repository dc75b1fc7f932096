// Where every result passes on its way from the instruction that gave it to the fold; of the memory families every word
// that was read. Here that is no instruction: the test build brings another <result_tap.h>.
#pragma once
#include <device.h>

namespace sentinel {

class ResultTap {
 public:
  // Of a logical lane, 0..63, in an iteration.
  SENTINEL_MEMBER ResultTap(uint32_t lane, uint32_t iteration) {}

  // number: of the word among those of the lane and the iteration.
  SENTINEL_MEMBER uint32_t operator()(uint32_t number, uint32_t word) const { return word; }
};

}  // namespace sentinel
