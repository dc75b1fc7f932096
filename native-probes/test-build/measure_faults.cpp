// gpu_measure_faults: a fault in each SM of the GPU of this machine, one after the other and in every family, and whether it
// is found where it is. One line of JSON per family. Needs no Node.js and no network; docs/measurements/README.md says how
// to run it.
#include <stdio.h>

#include <algorithm>

#include "../cpu/features.h"
#include "../cuda/execution.h"
#include "../cuda/inventory.h"
#include "../measure/json_line.h"
#include "fault_plan.h"

namespace sentinel::injection {
namespace {

using measure::JsonLine;

constexpr uint32_t kSubPartitions = 4;

std::vector<uint32_t> golden_cpus() {
  std::vector<uint32_t> cpus = allowed_cpus();
  cpus.resize(std::min<size_t>(cpus.size(), 2));
  return cpus;
}

// Another lane and sub-partition on each SM.
FaultSpec fault_on(Family family, uint32_t sm) {
  FaultSpec out{};
  out.family = family;
  out.gpu = GpuTarget{"", sm, sm % kSubPartitions};
  out.rate = 1;
  out.has_lane = true;
  out.lane = sm % kGpuLanes;
  return out;
}

struct Found {
  uint32_t there = 0;      // in the SM, sub-partition and lane that have it
  uint32_t elsewhere = 0;  // on an SM that has none
  std::string first_missed;
};

class FamilyCheck {
 public:
  FamilyCheck(cuda::Gpu& gpu, Family family) : gpu_(gpu), family_(family) {}

  Found run() {
    Found out;
    for (const uint32_t sm : gpu_.sms()) {
      const FaultSpec fault = fault_on(family_, sm);
      add_to_plan(fault);
      const cuda::GpuReport report = cuda::execute_on(gpu_, {family_, 0, index_++, gpu_.sms(), golden_cpus()});
      clear_plan();
      for (const SmResult& result : report.report.results) judge(result, fault, out);
    }
    return out;
  }

 private:
  static void judge(const SmResult& result, const FaultSpec& fault, Found& out) {
    if (result.sm != *fault.gpu->sm) {
      out.elsewhere += result.result == Result::kPass ? 0 : 1;
      return;
    }
    const bool found = result.result == Result::kFail && result.has_mismatch && result.mismatch.lane == fault.lane &&
                       result.mismatch.gpu.sub_partition == *fault.gpu->sub_partition;
    out.there += found ? 1 : 0;
    if (!found && out.first_missed.empty())
      out.first_missed = "SM " + std::to_string(result.sm) + ": " + name_of(result.result) + " " + result.reason;
  }

  cuda::Gpu& gpu_;
  const Family family_;
  uint32_t index_ = 0;
};

bool check(cuda::Gpu& gpu) {
  bool all = true;
  for (const cuda::GpuFamily& family : gpu.families()) {
    if (!family.missing.empty()) continue;
    const Found found = FamilyCheck(gpu, family.info->family).run();
    const bool met = found.there == gpu.sms().size() && found.elsewhere == 0;
    JsonLine("injected_faults")
        .text("family", family.info->name)
        .number("sms", static_cast<double>(gpu.sms().size()))
        .number("found_in_place", found.there)
        .number("not_passed_elsewhere", found.elsewhere)
        .text("first_missed", found.first_missed)
        .flag("met", met)
        .print();
    all = all && met;
  }
  JsonLine("summary").flag("met", all).print();
  return all;
}

}  // namespace
}  // namespace sentinel::injection

// The first GPU, or the one that is named.
int main(int count, char** arguments) {
  using namespace sentinel;
  const cuda::Census census = cuda::take_full_census();
  cuda::OpenRequest request;
  if (count > 1) request.uuid = arguments[1];
  if (request.uuid.empty() && !census.devices.empty()) request.uuid = census.devices[0].uuid;
  std::string why = census.missing;
  const std::unique_ptr<cuda::Gpu> gpu = why.empty() ? cuda::Gpu::open(request, why) : nullptr;
  if (gpu != nullptr) return injection::check(*gpu) ? 0 : 1;
  measure::JsonLine("summary").flag("met", false).text("error", why.empty() ? "no GPU here" : why).print();
  return 1;
}
