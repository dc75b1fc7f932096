// The golden of a GPU's execution: two logical CPUs compute it at once, and must agree.
#pragma once
#include "../cpu/execution.h"
#include "gpu_golden.h"

namespace sentinel::cuda {

struct GoldenRequest {
  Family family;
  uint64_t seed;
  const std::vector<uint32_t>& cpus;  // one or two
};

// What is the result of every SM if there is no golden, and why; kPass if there is one.
struct GoldenOutcome {
  Result result = Result::kPass;
  std::string reason;
};

class GoldenCpus {
 public:
  // Fills what a report says of the golden: charges, agreement, dispute.
  GoldenOutcome compute(const GoldenRequest& request, Report& report);
  const GpuGolden& golden() const { return goldens_[0]; }
  // Both copies still have the checksum that they were computed with.
  bool intact(const GoldenRequest& request) const;

 private:
  GoldenOutcome compare(const GoldenRequest& request, Report& report);
  void settle_dispute(const GoldenRequest& request, Report& report);

  GpuGolden goldens_[2];
  GpuGolden spare_;  // of known answers
};

void charge(Report& report, uint32_t cpu, uint64_t ns);

}  // namespace sentinel::cuda
