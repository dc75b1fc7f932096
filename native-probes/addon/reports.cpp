#include "reports.h"

namespace sentinel {
namespace {

napi_value result_value(const Values& values, const SmResult& result) {
  return values.object({{"sm", values.number(result.sm)},
                        {"result", values.text(name_of(result.result))},
                        {"reason", values.text_or_null(result.reason)},
                        {"digest", values.number(result.digest)},
                        {"startUs", values.number(result.start_us)},
                        {"durationUs", values.number(result.duration_us)},
                        {"mismatch", values.mismatch_or_null(result.has_mismatch, result.mismatch)}});
}

napi_value dispute_value(const Values& values, const GoldenDispute& dispute) {
  std::vector<napi_value> verdicts;
  for (const GoldenDispute::Verdict& verdict : dispute.known_answers) {
    verdicts.push_back(
        values.object({{"cpu", values.number(verdict.cpu)}, {"result", values.text(name_of(verdict.result))}}));
  }
  return values.object({{"knownAnswers", values.list(verdicts)},
                        {"accused", dispute.has_accused ? values.number(dispute.accused) : values.null()},
                        {"mismatch", values.mismatch_or_null(dispute.has_mismatch, dispute.mismatch)}});
}

napi_value first_bad_value(const Values& values, const KnownAnswerReport& report) {
  const KnownAnswerFailure& bad = report.first_bad;
  if (bad.expected_digest == bad.actual_digest) return values.null();
  return values.object({{"epoch", values.number(bad.epoch)},
                        {"index", values.number(bad.index)},
                        {"source", values.text(bad.golden ? "golden" : "unit")},
                        {"expectedDigest", values.number(bad.expected_digest)},
                        {"actualDigest", values.number(bad.actual_digest)},
                        {"mismatch", values.mismatch_or_null(bad.has_mismatch, bad.mismatch)}});
}

}  // namespace

napi_value instructions_of(const Values& values, const std::string& names) {
  std::vector<napi_value> items;
  size_t begin = 0;
  while (begin < names.size()) {
    size_t end = names.find(' ', begin);
    if (end == std::string::npos) end = names.size();
    items.push_back(values.text(names.substr(begin, end - begin)));
    begin = end + 1;
  }
  return values.list(items);
}

napi_value report_value(const Values& values, const Request& request, const Report& report) {
  std::vector<napi_value> golden_cpus, charges, results;
  for (uint32_t cpu : request.golden_cpus) golden_cpus.push_back(values.number(cpu));
  for (const CpuCharge& charge : report.charges) {
    charges.push_back(values.object({{"cpu", values.number(charge.cpu)}, {"us", values.number(charge.ns / 1000.0)}}));
  }
  for (const SmResult& result : report.results) results.push_back(result_value(values, result));
  return values.object({{"goldenAgreed", values.boolean(report.golden_agreed)},
                        {"goldenCpus", values.list(golden_cpus)},
                        {"goldenCrcOk", values.boolean(report.golden_agreed && report.golden_intact)},
                        {"goldenDispute", report.has_dispute ? dispute_value(values, report.dispute) : values.null()},
                        {"expectedDigest", values.number(report.expected_digest)},
                        {"wallUs", values.number(report.wall_ns / 1000.0)},
                        {"cpuUs", values.list(charges)},
                        {"results", values.list(results)}});
}

napi_value known_answer_value(const Values& values, const KnownAnswerReport& report) {
  return values.object({{"family", values.text(name_of(report.family))},
                        {"passed", values.boolean(report.result == Result::kPass)},
                        {"result", values.text(name_of(report.result))},
                        {"reason", values.text_or_null(report.reason)},
                        {"executed", values.number(report.executed)},
                        {"firstBad", first_bad_value(values, report)}});
}

}  // namespace sentinel
