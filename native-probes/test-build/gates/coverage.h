// Which faults of a multiplier's gates a sequence of operations on one physical lane would show.
#pragma once
#include <functional>

#include "multiplier.h"

namespace sentinel::gates {

// One multiplication; operations follow each other on the lane in the order of the list.
struct Operation {
  uint32_t a, b;  // significands
  bool seen;      // false: the result does not depend on the product (NaN, infinity)
};

// Whether the architected result of operation k differs if the multiplier computes this product.
using Shows = std::function<bool(size_t k, uint64_t wrong_product)>;

// A stuck-at fault is found by an operation that sets its node to the other value and whose result then differs; a
// transition fault (a node too slow to rise, or to fall) besides needs the opposite value in the operation before.
struct Coverage {
  uint32_t faults;  // two for each gate, of each of the two kinds
  uint32_t stuck_at_found, transition_found;
};

Coverage coverage_of(const Multiplier& multiplier, const std::vector<Operation>& operations, const Shows& shows);

}  // namespace sentinel::gates
