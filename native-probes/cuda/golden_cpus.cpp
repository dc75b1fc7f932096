#include "golden_cpus.h"

#include <string.h>

#include "../core/fold.h"
#include "../core/random.h"
#include "../cpu/known_answers.h"
#include "../cpu/pinned_thread.h"
#include "../cpu/workers.h"
#include "verdict.h"

namespace sentinel::cuda {
namespace {

class GpuGoldenWorker {
 public:
  void start(Family family, uint64_t seed, uint32_t cpu, GpuGolden& golden) {
    family_ = family;
    seed_ = seed;
    golden_ = &golden;
    thread_.start(cpu, work, this);
  }
  bool join() { return thread_.join() == Placement::kStayed; }
  const PinnedThread& thread() const { return thread_; }

 private:
  static void work(void* self) {
    auto* worker = static_cast<GpuGoldenWorker*>(self);
    compute_gpu_golden(worker->family_, worker->seed_, *worker->golden_);
  }

  Family family_{};
  uint64_t seed_ = 0;
  GpuGolden* golden_ = nullptr;
  PinnedThread thread_;
};

Expected expected_of(Family family, const GpuGolden& golden) {
  return {golden.running, gpu_shape_of(family).iterations / kGpuBlock};
}

uint32_t digest_of(Family family, const GpuGolden& golden) {
  return fold_gpu_lanes(expected_of(family, golden).lanes());
}

size_t words_of(Family family) { return size_t{gpu_shape_of(family).iterations / kGpuBlock} * kGpuLanes; }

bool same(Family family, const GpuGolden& a, const GpuGolden& b) {
  return memcmp(a.running, b.running, words_of(family) * sizeof(uint32_t)) == 0;
}

// Whether the golden code alone reproduces a family's answers on a CPU. Never kFail when it could not stay there.
Result known_answers_on(Family family, uint32_t cpu, GpuGolden& buffer, Report& report) {
  for (const KnownAnswer& answer : known_answers(KnownBackend::kGpu, family)) {
    GpuGoldenWorker worker;
    worker.start(family, seed_of(family, answer.epoch, answer.index), cpu, buffer);
    const bool ran = worker.join();
    charge(report, cpu, worker.thread().cpu_time_ns());
    if (!ran) return not_run_result(worker.thread());
    if (digest_of(family, buffer) != answer.digest) return Result::kFail;
  }
  return Result::kPass;
}

Mismatch first_difference(Family family, const GpuGolden& right, const GpuGolden& wrong) {
  Mismatch out;
  out.expected_digest = digest_of(family, right);
  out.actual_digest = digest_of(family, wrong);
  out.on_gpu = true;
  out.gpu.within_iterations = kGpuBlock;
  for (size_t k = 0; k < words_of(family); k++) {
    if (right.running[k] == wrong.running[k] || out.mismatch_count++ > 0) continue;
    out.lane = k % kGpuLanes;
    out.iteration = static_cast<uint32_t>(k / kGpuLanes) * kGpuBlock;
    out.expected = {right.running[k]};
    out.actual = {wrong.running[k]};
  }
  return out;
}

}  // namespace

void charge(Report& report, uint32_t cpu, uint64_t ns) {
  for (CpuCharge& entry : report.charges) {
    if (entry.cpu == cpu) {
      entry.ns += ns;
      return;
    }
  }
  report.charges.push_back({cpu, ns});
}

GoldenOutcome GoldenCpus::compute(const GoldenRequest& request, Report& report) {
  GpuGoldenWorker workers[2];
  for (size_t k = 0; k < request.cpus.size(); k++) {
    workers[k].start(request.family, request.seed, request.cpus[k], goldens_[k]);
  }
  GoldenOutcome out;
  for (size_t k = 0; k < request.cpus.size(); k++) {
    const bool ran = workers[k].join();
    charge(report, request.cpus[k], workers[k].thread().cpu_time_ns());
    if (!ran) out = {not_run_result(workers[k].thread()), "golden: " + not_run_reason(workers[k].thread())};
  }
  return out.result == Result::kPass ? compare(request, report) : out;
}

GoldenOutcome GoldenCpus::compare(const GoldenRequest& request, Report& report) {
  if (request.cpus.size() == 2 && !same(request.family, goldens_[0], goldens_[1])) {
    settle_dispute(request, report);
    return {Result::kInconclusive, "the golden differs between logical CPUs " + std::to_string(request.cpus[0]) +
                                       " and " + std::to_string(request.cpus[1])};
  }
  report.golden_agreed = true;
  report.expected_digest = digest_of(request.family, goldens_[0]);
  return {};
}

// Accuses a golden CPU if it alone disagrees with the committed known answers.
void GoldenCpus::settle_dispute(const GoldenRequest& request, Report& report) {
  GoldenDispute& dispute = report.dispute;
  report.has_dispute = true;
  for (uint32_t cpu : request.cpus)
    dispute.known_answers.push_back({cpu, known_answers_on(request.family, cpu, spare_, report)});
  for (size_t k = 0; k < 2; k++) {
    if (dispute.known_answers[k].result != Result::kFail || dispute.known_answers[1 - k].result != Result::kPass)
      continue;
    dispute.has_accused = true;
    dispute.accused = request.cpus[k];
    dispute.has_mismatch = true;
    dispute.mismatch = first_difference(request.family, goldens_[1 - k], goldens_[k]);
  }
}

bool GoldenCpus::intact(const GoldenRequest& request) const {
  for (size_t k = 0; k < request.cpus.size(); k++) {
    if (checksum_of(request.family, goldens_[k]) != goldens_[k].checksum) return false;
  }
  return true;
}

}  // namespace sentinel::cuda
