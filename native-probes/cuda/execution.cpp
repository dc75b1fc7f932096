#include "execution.h"

#include <string.h>

#include <algorithm>

#include "../core/fold.h"
#include "../core/random.h"
#include "../cpu/known_answers.h"
#include "../cpu/pinned_thread.h"
#include "copies.h"
#include "majority.h"
#include "sfu_objection.h"

namespace sentinel::cuda {
namespace {

// From the first block's start to the last one's end, of those SMs whose record can be used.
uint64_t device_ns(const Launched& launched) {
  uint64_t first = UINT64_MAX, last = 0;
  for (uint32_t smid = 0; smid < launched.returned.slots; smid++) {
    if (placed_on(launched.returned, smid).seat != Seat::kRan) continue;
    first = std::min(first, launched.records[smid].start_ns);
    last = std::max(last, launched.records[smid].end_ns);
  }
  return last > first ? last - first : 0;
}

class Execution {
 public:
  Execution(Gpu& gpu, const Request& request, const GpuFamily& family)
      : gpu_(gpu),
        request_(request),
        family_(family),
        golden_request_{request.family, seed_of(request.family, request.epoch, request.index), request.golden_cpus},
        copies_(golden_request_.seed, gpu.share(), request.golden_cpus),
        began_ns_(monotonic_ns()),
        began_cpu_ns_(thread_cpu_ns()) {}

  GpuReport run() {
    GoldenOutcome golden = has_golden() ? goldens_.compute(golden_request_, report()) : GoldenOutcome{};
    if (golden.result == Result::kPass) golden = launch();
    for (uint32_t sm : request_.sms) {
      report().results.push_back(golden.result == Result::kPass ? judge(sm)
                                                                : sm_result(sm, golden.result, golden.reason));
    }
    if (has_golden() && report().golden_agreed && !golden_intact()) report().golden_intact = false;
    charge(report(), current_cpu(), thread_cpu_ns() - began_cpu_ns_);
    report().wall_ns = monotonic_ns() - began_ns_;
    return std::move(out_);
  }

 private:
  Report& report() { return out_.report; }
  bool has_golden() const { return has_gpu_golden(request_.family); }
  uint32_t blocks() const { return family_.shape.iterations / kGpuBlock; }
  Expected expected() const { return {has_golden() ? goldens_.golden().running : majority_.data(), blocks()}; }

  // What every SM gets if nothing can be compared; kPass if it can.
  GoldenOutcome launch() {
    const Job job = gpu_.job_of(family_, golden_request_.seed);
    if (has_golden()) memcpy(gpu_.memory().golden(), goldens_.golden().running, golden_bytes());
    if (const Error error = prepare_copies(job)) return {Result::kError, describe(gpu_.session().api(), error)};
    launched_ns_ = monotonic_ns();
    launched_ = gpu_.run(job, request_.sms);
    GoldenOutcome out;
    if (!launched_.error && !has_golden()) out = find_majority(job);
    charge_gpu();
    return launched_.error ? GoldenOutcome{Result::kError, gpu_.lost()} : out;
  }

  Error prepare_copies(const Job& job) {
    if (job.copy_bytes == 0) return {};
    // Measuring the switch cost left another context behind, or none.
    if (const Error error = gpu_.session().enter()) return error;
    if (const Error error = gpu_.memory().reserve_copies(job.copy_bytes)) return error;
    copies_.fill(gpu_.memory().sent());
    return {};
  }

  GoldenOutcome find_majority(const Job& job) {
    majority_.resize(size_t{blocks()} * kGpuLanes);
    const uint32_t* running = gpu_.memory().running();
    const Majority majority = majority_of(launched_.returned, running, blocks(), gpu_.sms(), majority_.data());
    if (!majority.missing.empty()) return {Result::kInconclusive, majority.missing};
    gpu_.fetch_results(job, majority.sm, launched_);
    if (launched_.error) return {Result::kError, gpu_.lost()};
    const std::string objection = sfu_objection(golden_request_.seed, expected(), gpu_.memory().results());
    if (!objection.empty()) return {Result::kInconclusive, objection};
    report_disagreements(launched_.returned, running, expected(), launched_.records, *launched_.mismatches);
    report().golden_agreed = true;
    report().expected_digest = fold_gpu_lanes(expected().lanes());
    return {};
  }

  void charge_gpu() {
    out_.launches = launched_.launches;
    out_.host_us = launched_.host_ns / 1000.0;
    out_.device_us = launched_.error ? 0 : device_ns(launched_) / 1000.0;
    out_.charged_us = std::max(out_.host_us, out_.device_us) + out_.launches * gpu_.switch_cost().us;
  }

  SmResult judge(uint32_t sm) {
    SmResult out = verdict_on(launched_.returned, *launched_.mismatches, expected(), sm);
    out.start_us = static_cast<uint32_t>((launched_ns_ - began_ns_) / 1000);
    if (out.result != Result::kNotRun) {
      const SmRecord& record = launched_.records[sm];
      out.duration_us = static_cast<uint32_t>((record.end_ns - record.start_ns) / 1000);
    }
    if (request_.family == Family::kCopy) copies_.judge(out, gpu_.memory().sent(), gpu_.memory().returned());
    if (out.result != Result::kPass && out.result != Result::kNotRun && has_golden()) doubt(out);
    return out;
  }

  // Before an SM is accused: what it was compared with must still be what the CPUs computed.
  void doubt(SmResult& out) {
    if (!golden_intact()) {
      report().golden_intact = false;
      out.result = Result::kInconclusive;
      out.reason = "the golden changed during the run";
    } else if (out.result == Result::kFail && request_.golden_cpus.size() == 1) {
      out.result = Result::kInconclusive;
      out.reason = "one golden CPU only: nothing but the committed known answers can fail";
    }
  }

  size_t golden_bytes() const { return size_t{blocks()} * kGpuLanes * sizeof(uint32_t); }

  // On the host, and as it lay in device memory after the run.
  bool golden_intact() const {
    return goldens_.intact(golden_request_) &&
           (launched_.golden == nullptr || memcmp(launched_.golden, goldens_.golden().running, golden_bytes()) == 0);
  }

  Gpu& gpu_;
  const Request& request_;
  const GpuFamily& family_;
  const GoldenRequest golden_request_;
  const Copies copies_;
  const uint64_t began_ns_, began_cpu_ns_;
  uint64_t launched_ns_ = 0;
  GoldenCpus goldens_;
  std::vector<uint32_t> majority_;
  Launched launched_;
  GpuReport out_;
};

GpuReport all(const Request& request, Result result, const std::string& reason) {
  GpuReport out;
  for (uint32_t sm : request.sms) out.report.results.push_back(sm_result(sm, result, reason));
  return out;
}

}  // namespace

GpuReport execute_on(Gpu& gpu, const Request& request) {
  const GpuFamily* family = gpu.family(request.family);
  if (family == nullptr) return all(request, Result::kNotRun, "no family of a GPU");
  if (!family->missing.empty()) return all(request, Result::kNotRun, family->missing);
  if (!gpu.lost().empty()) {
    return all(request, Result::kError, "the device must be reopened: " + gpu.lost());
  }
  return Execution(gpu, request, *family).run();
}

}  // namespace sentinel::cuda
