#include "known_answers.h"

#include "../core/fold.h"
#include "../core/gpu_families.h"
#include "../core/random.h"
#include "buffers.h"
#include "workers.h"

namespace sentinel {
namespace {

#include "../build/generated/known_answers.inc"

void not_run(KnownAnswerReport& report, const PinnedThread& thread) {
  report.result = not_run_result(thread);
  report.reason = not_run_reason(thread);
}

void failed(KnownAnswerReport& report, const KnownAnswer& answer, bool golden, uint32_t digest) {
  report.result = Result::kFail;
  report.first_bad.epoch = answer.epoch;
  report.first_bad.index = answer.index;
  report.first_bad.golden = golden;
  report.first_bad.expected_digest = answer.digest;
  report.first_bad.actual_digest = digest;
}

// False ends the family: it failed or could not run.
bool run_one(KnownAnswerReport& report, const KnownAnswer& answer, uint32_t sm, Buffers& buffers) {
  const uint64_t seed = seed_of(report.family, answer.epoch, answer.index);
  Golden& golden = buffers.golden(Buffers::kSpare);
  GoldenWorker golden_worker;
  golden_worker.start(report.family, seed, sm, golden);
  if (!golden_worker.join()) return not_run(report, golden_worker.thread()), false;
  report.executed++;
  const uint32_t golden_digest = fold_lanes(golden.lane_digests);
  if (golden_digest != answer.digest) return failed(report, answer, true, golden_digest), false;
  UnitWorker unit;
  if (!unit.run({report.family, seed, sm, &golden, buffers.results(), buffers.memory()}))
    return not_run(report, unit.thread()), false;
  if (unit.agrees()) return true;
  failed(report, answer, false, unit.digest());
  report.first_bad.has_mismatch = true;
  report.first_bad.mismatch = unit.mismatch();
  return false;
}

KnownAnswerReport run_family(Family family, uint32_t sm, Buffers& buffers) {
  KnownAnswerReport report;
  report.family = family;
  for (const KnownAnswer& answer : known_answers(KnownBackend::kCpu, family)) {
    if (!run_one(report, answer, sm, buffers)) return report;
  }
  report.result = Result::kPass;
  return report;
}

}  // namespace

KnownAnswerList known_answers(KnownBackend backend, Family family) {
  for (const KnownAnswerTable& table : kKnownAnswers) {
    if (table.backend == backend && table.family == family) return table.answers;
  }
  return {nullptr, 0};
}

Result golden_known_answers(Family family, uint32_t cpu, Golden& buffer, uint64_t& cpu_ns) {
  for (const KnownAnswer& answer : known_answers(KnownBackend::kCpu, family)) {
    GoldenWorker worker;
    worker.start(family, seed_of(family, answer.epoch, answer.index), cpu, buffer);
    const bool ran = worker.join();
    cpu_ns += worker.thread().cpu_time_ns();
    if (!ran) return not_run_result(worker.thread());
    if (fold_lanes(buffer.lane_digests) != answer.digest) return Result::kFail;
  }
  return Result::kPass;
}

std::vector<KnownAnswerReport> run_known_answers(uint32_t sm) {
  std::vector<KnownAnswerReport> reports;
  const BufferLease lease;
  for (const FamilyInfo& info : kFamilies) {
    if (missing_for(info.family) == nullptr && lease.get().complete()) {
      reports.push_back(run_family(info.family, sm, lease.get()));
    }
  }
  return reports;
}

}  // namespace sentinel
