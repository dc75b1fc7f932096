// The multiplications that a probe family makes on one physical lane, and what its results show of them.
#pragma once
#include "../../core/families.h"
#include "coverage.h"

namespace sentinel::gates {

// fma32: vectors of one lane, each multiplied for the multiply-add and for the product. A lane of a CPU's vector unit meets
// the iterations of one logical lane at a time; one of a GPU's sub-partition those of two, one after the other. `step`
// takes every so many iterations: 8 leaves class 0 alone, uniform bits, to compare with.
Coverage fma32_coverage(uint64_t seed, const std::vector<uint32_t>& lanes, uint32_t iterations, uint32_t step);

// A floating-point tensor core family (bits = significand bits of its operands): the products of one place of both groups'
// tiles, on one multiplier. Sums are exact, so every wrong product shows; of a zero operand nothing is taken to show.
Coverage tc_coverage(Family family, uint64_t seed, uint32_t place, uint32_t iterations, uint32_t step);

}  // namespace sentinel::gates
