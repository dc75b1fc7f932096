// Where two computations of one seed differ.
#pragma once
#include "execution.h"

namespace sentinel {

struct Computed {
  const uint32_t* results;
  const uint32_t* lane_digests;
};

// `expected` and `actual` differ in at least one lane digest. Operands are those that `golden` was computed from.
Mismatch first_difference(Family family, const uint32_t* operands, Computed expected, Computed actual);

bool same_golden(Family family, const Golden& a, const Golden& b);
bool same_digests(const uint32_t* a, const uint32_t* b);

}  // namespace sentinel
