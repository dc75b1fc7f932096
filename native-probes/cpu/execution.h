// One execution: the golden of a seed on one or two logical CPUs, the family on each SM in turn, the comparison.
#pragma once
#include <string>
#include <vector>

#include "unit.h"

namespace sentinel {

enum class Result { kPass, kFail, kNotRun, kInconclusive, kError };

// As reports and index.d.ts spell it.
inline const char* name_of(Result result) {
  switch (result) {
    case Result::kPass: return "PASS";
    case Result::kFail: return "FAIL";
    case Result::kNotRun: return "NOT_RUN";
    case Result::kInconclusive: return "INCONCLUSIVE";
    case Result::kError: return "ERROR";
  }
  return "ERROR";
}

// Where on an SM of a GPU, which compares digests every so many iterations.
struct GpuPlace {
  uint32_t warp = 0, sub_partition = 0, within_iterations = 0;
  bool has_address = false;
  uint64_t address = 0;  // byte offset in the shared memory or the arena
};

// Of the first wrong (lane, iteration). An iteration of shape.iterations means that every word was right and the fold
// was wrong: then there are no operands, and the words are the digests of the lane.
struct Mismatch {
  uint32_t lane = 0, iteration = 0, round = 0;
  std::vector<uint32_t> operands, expected, actual;
  uint32_t expected_digest = 0, actual_digest = 0;
  uint32_t mismatch_count = 0;  // wrong (lane, iteration) pairs; on a GPU: (warp, lane)
  bool on_gpu = false;
  GpuPlace gpu;
};

struct SmResult {
  uint32_t sm = 0;
  Result result = Result::kNotRun;
  std::string reason;
  uint32_t digest = 0;
  uint32_t start_us = 0, duration_us = 0;
  bool has_mismatch = false;
  Mismatch mismatch;
};

// Without digest, times and mismatch.
inline SmResult sm_result(uint32_t sm, Result result, const std::string& reason) {
  SmResult out;
  out.sm = sm;
  out.result = result;
  out.reason = reason;
  return out;
}

struct CpuCharge {
  uint32_t cpu;
  uint64_t ns;
};

// The two golden CPUs computed different values. Both then run the committed known answers with golden code alone.
struct GoldenDispute {
  struct Verdict {
    uint32_t cpu;
    Result result;
  };
  std::vector<Verdict> known_answers;
  bool has_accused = false;
  uint32_t accused = 0;       // the only one that disagrees with the file
  bool has_mismatch = false;  // false if no result of the disputed seed differs, only operands
  Mismatch mismatch;          // expected: the other CPU's; actual: the accused's
};

struct Request {
  Family family;
  uint32_t epoch, index;
  std::vector<uint32_t> sms;
  std::vector<uint32_t> golden_cpus;  // one or two
};

struct Report {
  bool golden_agreed = false;
  bool golden_intact = true;
  uint32_t expected_digest = 0;
  uint64_t wall_ns = 0;
  std::vector<CpuCharge> charges;
  std::vector<SmResult> results;
  bool has_dispute = false;
  GoldenDispute dispute;
};

Report execute(const Request& request);

struct KnownAnswerFailure {
  uint32_t epoch = 0, index = 0;
  bool golden = false;  // the golden code, not the unit, disagreed with the file
  uint32_t expected_digest = 0, actual_digest = 0;
  bool has_mismatch = false;
  Mismatch mismatch;
};

struct KnownAnswerReport {
  Family family;
  uint32_t executed = 0;
  Result result = Result::kNotRun;
  std::string reason;
  KnownAnswerFailure first_bad;  // with kFail
};

// Every committed answer of every family that can run here, golden code and unit, on one SM.
std::vector<KnownAnswerReport> run_known_answers(uint32_t sm);

}  // namespace sentinel
