#include "copies.h"

#include "../cpu/pinned_thread.h"

namespace sentinel::cuda {
namespace {

void inconclusive(SmResult& result, const char* reason) {
  result.result = Result::kInconclusive;
  result.reason = reason;
}

Mismatch mismatch_of(const CopyDifference& found, uint32_t digest) {
  Mismatch out;
  out.lane = found.lane;
  out.iteration = found.column - kCopyFromGpu;
  out.expected = {found.expected};
  out.actual = {found.actual};
  out.expected_digest = out.actual_digest = digest;
  out.mismatch_count = static_cast<uint32_t>(found.count);
  out.on_gpu = true;
  out.gpu.warp = found.warp;
  out.gpu.within_iterations = 1;
  out.gpu.has_address = true;
  out.gpu.address = found.offset;
  return out;
}

}  // namespace

struct Copies::Look {
  const CopyBuffer& buffer;
  uint32_t region;
  const uint32_t* words;
  CopyDifference found;

  static void work(void* self) {
    auto* look = static_cast<Look*>(self);
    look->found = compare_copy(look->buffer, look->region, look->words);
  }
};

bool Copies::look(const CopyBuffer& buffer, uint32_t region, const uint32_t* words,
                  std::vector<CopyDifference>& out) const {
  for (uint32_t cpu : cpus_) {
    Look look{buffer, region, words, {}};
    PinnedThread thread;
    thread.start(cpu, Look::work, &look);
    if (thread.join() != Placement::kStayed) return false;
    out.push_back(look.found);
  }
  return true;
}

void Copies::judge(SmResult& result, const uint32_t* sent, const uint32_t* returned) const {
  if (result.result == Result::kFail) judge_sent(result, sent);
  if (result.result == Result::kPass) judge_returned(result, returned);
}

// The kernel found something else than the pattern: only if that is what was sent.
void Copies::judge_sent(SmResult& result, const uint32_t* sent) const {
  std::vector<CopyDifference> found;
  bool intact = look(to_gpu_, result.sm, sent, found);
  for (const CopyDifference& difference : found) intact = intact && difference.count == 0;
  if (!intact) inconclusive(result, "the host's buffer is not what was to be sent, or no golden CPU could look");
}

void Copies::judge_returned(SmResult& result, const uint32_t* returned) const {
  const CopyDifference first = compare_copy(from_gpu_, result.sm, returned);
  if (first.count == 0) return;
  std::vector<CopyDifference> found;
  bool agreed = look(from_gpu_, result.sm, returned, found);
  for (const CopyDifference& difference : found)
    agreed = agreed && difference.count == first.count && difference.offset == first.offset;
  result.has_mismatch = true;
  result.mismatch = mismatch_of(first, result.digest);
  result.result = Result::kFail;
  if (!agreed) inconclusive(result, "the golden CPUs do not agree about what came back");
}

}  // namespace sentinel::cuda
