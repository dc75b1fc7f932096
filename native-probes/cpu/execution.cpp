#include "execution.h"

#include "../core/fold.h"
#include "../core/random.h"
#include "buffers.h"
#include "comparison.h"
#include "known_answers.h"
#include "workers.h"

namespace sentinel {
namespace {

class Execution {
 public:
  Execution(const Request& request, Buffers& buffers, Report& report)
      : request_(request),
        seed_(seed_of(request.family, request.epoch, request.index)),
        buffers_(buffers),
        report_(report),
        began_ns_(monotonic_ns()),
        began_cpu_ns_(thread_cpu_ns()) {}

  void run() {
    std::string reason;
    const Result golden = compute_goldens(reason);
    for (uint32_t sm : request_.sms) {
      report_.results.push_back(golden == Result::kPass ? run_on(sm) : sm_result(sm, golden, reason));
    }
    if (report_.golden_agreed) report_.golden_intact = report_.golden_intact && golden_unchanged();
    charge(current_cpu(), thread_cpu_ns() - began_cpu_ns_);
    report_.wall_ns = monotonic_ns() - began_ns_;
  }

 private:
  const Request& request_;
  const uint64_t seed_;
  Buffers& buffers_;
  Report& report_;
  const uint64_t began_ns_, began_cpu_ns_;

  uint32_t goldens() const { return static_cast<uint32_t>(request_.golden_cpus.size()); }

  // kPass when there is a golden to compare with, else what every SM of the request gets, and why.
  Result compute_goldens(std::string& reason) {
    GoldenWorker workers[2];
    for (uint32_t k = 0; k < goldens(); k++) {
      workers[k].start(request_.family, seed_, request_.golden_cpus[k], buffers_.golden(k));
    }
    Result result = Result::kPass;
    for (uint32_t k = 0; k < goldens(); k++) {
      const bool ran = workers[k].join();
      charge(request_.golden_cpus[k], workers[k].thread().cpu_time_ns());
      if (ran) continue;
      result = not_run_result(workers[k].thread());
      reason = "golden: " + not_run_reason(workers[k].thread());
    }
    return result == Result::kPass ? compare_goldens(reason) : result;
  }

  Result compare_goldens(std::string& reason) {
    if (goldens() == 2 && !same_golden(request_.family, buffers_.golden(0), buffers_.golden(1))) {
      reason = "the golden differs between logical CPUs " + std::to_string(request_.golden_cpus[0]) + " and " +
               std::to_string(request_.golden_cpus[1]);
      settle_dispute();
      return Result::kInconclusive;
    }
    report_.golden_agreed = true;
    report_.expected_digest = fold_lanes(buffers_.golden(0).lane_digests);
    return Result::kPass;
  }

  // Accuses a golden CPU if it disagrees with the committed known answers and the other one agrees.
  void settle_dispute() {
    GoldenDispute& dispute = report_.dispute;
    report_.has_dispute = true;
    for (uint32_t cpu : request_.golden_cpus) {
      uint64_t used_ns = 0;
      dispute.known_answers.push_back(
          {cpu, golden_known_answers(request_.family, cpu, buffers_.golden(Buffers::kSpare), used_ns)});
      charge(cpu, used_ns);
    }
    for (uint32_t k = 0; k < 2; k++) {
      if (dispute.known_answers[k].result == Result::kFail && dispute.known_answers[1 - k].result == Result::kPass)
        accuse(k);
    }
  }

  void accuse(uint32_t k) {
    const Golden& right = buffers_.golden(1 - k);
    const Golden& wrong = buffers_.golden(k);
    GoldenDispute& dispute = report_.dispute;
    dispute.has_accused = true;
    dispute.accused = request_.golden_cpus[k];
    dispute.has_mismatch = !same_digests(right.lane_digests, wrong.lane_digests);
    if (!dispute.has_mismatch) return;
    dispute.mismatch = first_difference(request_.family, right.operands, {right.expected, right.lane_digests},
                                        {wrong.expected, wrong.lane_digests});
  }

  SmResult run_on(uint32_t sm) {
    UnitWorker unit;
    const bool ran = unit.run({request_.family, seed_, sm, &buffers_.golden(0), buffers_.results(), buffers_.memory()});
    const PinnedThread& thread = unit.thread();
    charge(sm, thread.cpu_time_ns());
    SmResult out = ran ? judge(unit) : sm_result(sm, not_run_result(thread), not_run_reason(thread));
    out.start_us = static_cast<uint32_t>((thread.started_ns() - began_ns_) / 1000);
    out.duration_us = static_cast<uint32_t>((thread.ended_ns() - thread.started_ns()) / 1000);
    return out;
  }

  SmResult judge(const UnitWorker& unit) {
    SmResult out = sm_result(unit.job().sm, Result::kPass, "");
    out.digest = unit.digest();
    if (unit.agrees()) return out;
    out.has_mismatch = true;
    out.mismatch = unit.mismatch();
    out.result = Result::kFail;
    if (!golden_unchanged()) {
      report_.golden_intact = false;
      out.result = Result::kInconclusive;
      out.reason = "the golden or operand buffer changed during the run";
    } else if (goldens() == 1) {
      out.result = Result::kInconclusive;
      out.reason = "one golden CPU only: nothing but the committed known answers can fail";
    }
    return out;
  }

  bool golden_unchanged() {
    for (uint32_t k = 0; k < goldens(); k++) {
      const Golden& golden = buffers_.golden(k);
      if (checksum_of(request_.family, golden) != golden.checksum) return false;
    }
    return true;
  }

  void charge(uint32_t cpu, uint64_t ns) {
    for (CpuCharge& entry : report_.charges) {
      if (entry.cpu == cpu) {
        entry.ns += ns;
        return;
      }
    }
    report_.charges.push_back({cpu, ns});
  }
};

}  // namespace

Report execute(const Request& request) {
  Report report;
  const BufferLease lease;
  if (lease.get().complete()) {
    Execution(request, lease.get(), report).run();
    return report;
  }
  for (uint32_t sm : request.sms)
    report.results.push_back(sm_result(sm, Result::kError, "no memory for the probe's buffers"));
  return report;
}

}  // namespace sentinel
