#include "workers.h"

#include "../core/fold.h"
#include "comparison.h"

namespace sentinel {

void GoldenWorker::start(Family family, uint64_t seed, uint32_t cpu, Golden& golden) {
  family_ = family;
  seed_ = seed;
  golden_ = &golden;
  thread_.start(cpu, work, this);
}

void GoldenWorker::work(void* self) {
  auto* worker = static_cast<GoldenWorker*>(self);
  kBackend.golden(worker->family_, worker->seed_, worker->thread_.cpu(), *worker->golden_);
}

bool UnitWorker::run(const UnitJob& job) {
  job_ = job;
  thread_.start(job.sm, work, this);
  return thread_.join() == Placement::kStayed;
}

void UnitWorker::work(void* self) {
  auto* worker = static_cast<UnitWorker*>(self);
  worker->outcome_ = kBackend.unit(worker->job_);
}

bool UnitWorker::agrees() const { return same_digests(job_.golden->lane_digests, outcome_.lane_digests); }

uint32_t UnitWorker::digest() const { return fold_lanes(outcome_.lane_digests); }

Mismatch UnitWorker::mismatch() const {
  const Golden& golden = *job_.golden;
  Mismatch out = first_difference(job_.family, golden.operands, {golden.expected, golden.lane_digests},
                                  {job_.results, outcome_.lane_digests});
  out.round = outcome_.rounds - 1;
  return out;
}

std::string not_run_reason(const PinnedThread& thread) {
  const std::string cpu = std::to_string(thread.cpu());
  switch (thread.placement()) {
    case Placement::kNotAllowed: return "logical CPU " + cpu + " is not in the affinity mask or is offline";
    case Placement::kMoved: return "moved from logical CPU " + cpu + " to " + std::to_string(thread.seen_cpu());
    default: return "no thread could be started for logical CPU " + cpu;
  }
}

Result not_run_result(const PinnedThread& thread) {
  return thread.placement() == Placement::kNoThread ? Result::kError : Result::kNotRun;
}

}  // namespace sentinel
