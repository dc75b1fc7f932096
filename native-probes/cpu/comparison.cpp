#include "comparison.h"

#include <string.h>

#include "../core/fold.h"

namespace sentinel {
namespace {

bool same_vector(const FamilyShape& shape, uint32_t iteration, uint32_t lane, const uint32_t* a, const uint32_t* b) {
  for (uint32_t w = 0; w < shape.result_words; w++) {
    const uint32_t at = word_offset(shape.result_words, iteration, w, lane);
    if (a[at] != b[at]) return false;
  }
  return true;
}

std::vector<uint32_t> words_of(const uint32_t* buffer, uint32_t words, uint32_t iteration, uint32_t lane) {
  std::vector<uint32_t> out(words);
  for (uint32_t w = 0; w < words; w++) out[w] = buffer[word_offset(words, iteration, w, lane)];
  return out;
}

// Every word is right: the digest itself was computed wrong.
void describe_fold(Mismatch& out, const FamilyShape& shape, Computed expected, Computed actual) {
  while (expected.lane_digests[out.lane] == actual.lane_digests[out.lane] && out.lane + 1 < kLanes) out.lane++;
  out.iteration = shape.iterations;
  out.expected = {expected.lane_digests[out.lane]};
  out.actual = {actual.lane_digests[out.lane]};
}

}  // namespace

Mismatch first_difference(Family family, const uint32_t* operands, Computed expected, Computed actual) {
  const FamilyShape shape = shape_of(family);
  Mismatch out;
  out.expected_digest = fold_lanes(expected.lane_digests);
  out.actual_digest = fold_lanes(actual.lane_digests);
  for (uint32_t i = 0; i < shape.iterations; i++) {
    for (uint32_t lane = 0; lane < kLanes; lane++) {
      if (same_vector(shape, i, lane, expected.results, actual.results)) continue;
      if (out.mismatch_count++ > 0) continue;
      out.lane = lane;
      out.iteration = i;
      out.operands = words_of(operands, shape.operand_words, i, lane);
      out.expected = words_of(expected.results, shape.result_words, i, lane);
      out.actual = words_of(actual.results, shape.result_words, i, lane);
    }
  }
  if (out.mismatch_count == 0) describe_fold(out, shape, expected, actual);
  return out;
}

bool same_digests(const uint32_t* a, const uint32_t* b) { return memcmp(a, b, kLanes * sizeof(uint32_t)) == 0; }

bool same_golden(Family family, const Golden& a, const Golden& b) {
  const FamilyShape shape = shape_of(family);
  const size_t bytes = size_t{shape.iterations} * kLanes * sizeof(uint32_t);
  return same_digests(a.lane_digests, b.lane_digests) &&
         memcmp(a.operands, b.operands, bytes * shape.operand_words) == 0 &&
         memcmp(a.expected, b.expected, bytes * shape.result_words) == 0;
}

}  // namespace sentinel
