// Whether results of the special-function units lie within the errors that NVIDIA documents. This accuses nobody: the
// majority of the SMs says what is right bit for bit, and the bounds say whether the majority can be right at all.
#pragma once
#include "../core/sfu.h"

namespace sentinel {

constexpr const char* kSfuNames[kSfuResultWords] = {"ex2", "lg2", "rcp", "rsqrt", "sqrt", "sin", "cos", "tanh"};

struct SfuViolation {
  uint32_t lane;  // logical
  uint32_t iteration;
  SfuFunction function;
  uint32_t operand, result;  // binary32
};

struct SfuErrors {
  uint32_t violations = 0;              // results out of bounds
  SfuViolation first{};                 // of them
  double greatest[kSfuResultWords]{};   // error of each function as a share of the documented one
};

// Of the results of one group of 32 lanes in one block of 32 iterations, [iteration][kSfuResultWords][lane].
SfuErrors sfu_errors(uint64_t seed, uint32_t group, uint32_t block, const uint32_t* results);

}  // namespace sentinel
