// What speaks against the majority of the SMs in family sfu: results that it kept, held against documented errors. Pure.
#pragma once
#include "../core/sfu.h"
#include "verdict.h"

namespace sentinel::cuda {

// `results`: those of sfu_sample(seed) of one SM of the majority, [kGpuBlock][kSfuResultWords][32]. They must be the ones
// that its digests were folded from, and within the bounds. Empty if they are, else what they are not.
std::string sfu_objection(uint64_t seed, const Expected& majority, const uint32_t* results);

}  // namespace sentinel::cuda
