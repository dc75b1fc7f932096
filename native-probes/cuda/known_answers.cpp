#include "known_answers.h"

#include "../cpu/features.h"
#include "../cpu/known_answers.h"
#include "majority.h"

namespace sentinel::cuda {
namespace {

constexpr size_t kGoldenCpus = 2;
constexpr uint32_t kOfTheMajority = 0;  // no digest

std::vector<uint32_t> golden_cpus() {
  std::vector<uint32_t> cpus = allowed_cpus();
  if (cpus.size() > kGoldenCpus) cpus.resize(kGoldenCpus);
  return cpus;
}

// One family on all SMs. An SM that failed or could not run is not asked again.
class FamilyRun {
 public:
  FamilyRun(Gpu& gpu, Family family) : gpu_(gpu), family_(family) {
    for (uint32_t sm : gpu.sms()) {
      GpuKnownAnswerReport report;
      report.sm = sm;
      report.report.family = family;
      report.report.result = Result::kPass;
      reports_.push_back(report);
    }
  }

  std::vector<GpuKnownAnswerReport> run() {
    for (const KnownAnswer& answer : known_answers(KnownBackend::kGpu, family_)) ask(answer);
    // Nothing is committed of what the majority decides: one execution says whether it can be right.
    if (!has_gpu_golden(family_)) ask({0, 0, kOfTheMajority});
    qualify(reports_);
    return std::move(reports_);
  }

 private:
  void ask(const KnownAnswer& answer) {
    Request request{family_, answer.epoch, answer.index, {}, golden_cpus()};
    std::vector<KnownAnswerReport*> asked;
    for (GpuKnownAnswerReport& entry : reports_) {
      if (entry.report.result != Result::kPass) continue;
      request.sms.push_back(entry.sm);
      asked.push_back(&entry.report);
    }
    if (asked.empty()) return;
    const Report report = execute_on(gpu_, request).report;
    const KnownAnswer wanted =
        answer.digest == kOfTheMajority ? KnownAnswer{answer.epoch, answer.index, report.expected_digest} : answer;
    for (size_t k = 0; k < asked.size(); k++) judge(*asked[k], wanted, report, report.results[k]);
  }

  void judge(KnownAnswerReport& out, const KnownAnswer& answer, const Report& report, const SmResult& result) {
    const bool has_golden = report.golden_agreed;
    if (has_golden && report.expected_digest != answer.digest) return fail(out, answer, true, report.expected_digest);
    out.executed += has_golden ? 1 : 0;
    // With one golden CPU a mismatch is inconclusive; the file has confirmed that golden.
    const bool wrong = result.result == Result::kFail ||
                       (result.result == Result::kInconclusive && result.has_mismatch && report.golden_intact);
    if (!wrong) {
      out.result = result.result;
      out.reason = result.reason;
      return;
    }
    fail(out, answer, false, result.digest);
    out.first_bad.has_mismatch = result.has_mismatch;
    out.first_bad.mismatch = result.mismatch;
  }

  void fail(KnownAnswerReport& out, const KnownAnswer& answer, bool golden, uint32_t digest) {
    out.first_bad = {answer.epoch, answer.index, golden, answer.digest, digest, false, {}};
    out.result = golden ? Result::kInconclusive : Result::kFail;
    if (golden) out.reason = "golden code on the host does not reproduce the committed answer";
  }

  Gpu& gpu_;
  const Family family_;
  std::vector<GpuKnownAnswerReport> reports_;
};

}  // namespace

void qualify(std::vector<GpuKnownAnswerReport>& reports) {
  size_t passed = 0, failed = 0;
  for (const GpuKnownAnswerReport& entry : reports) {
    passed += entry.report.result == Result::kPass ? 1 : 0;
    failed += entry.report.result == Result::kFail ? 1 : 0;
  }
  if (failed == 0 || (passed > 0 && passed >= failed)) return;
  for (GpuKnownAnswerReport& entry : reports) {
    if (entry.report.result != Result::kFail) continue;
    entry.report.result = Result::kInconclusive;
    entry.report.reason = "the kernel does not fit this silicon: " + std::to_string(passed) + " of " +
                          std::to_string(passed + failed) + " SMs reproduce the known answers";
  }
}

std::vector<GpuKnownAnswerReport> run_gpu_known_answers(Gpu& gpu, const GpuFamily& family) {
  const bool has_answers = known_answers(KnownBackend::kGpu, family.info->family).count > 0;
  const bool has_majority = !has_gpu_golden(family.info->family) && gpu.sms().size() >= kLeastVoters;
  if (!family.missing.empty() || !(has_answers || has_majority)) return {};
  return FamilyRun(gpu, family.info->family).run();
}

std::vector<GpuKnownAnswerReport> run_gpu_known_answers(Gpu& gpu) {
  std::vector<GpuKnownAnswerReport> out;
  for (const GpuFamily& family : gpu.families()) {
    for (GpuKnownAnswerReport& report : run_gpu_known_answers(gpu, family)) out.push_back(std::move(report));
  }
  return out;
}

}  // namespace sentinel::cuda
