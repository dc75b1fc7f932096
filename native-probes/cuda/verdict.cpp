#include "verdict.h"

#include "../core/fold.h"

namespace sentinel::cuda {
namespace {

constexpr uint32_t kSubPartitions = 4;

struct LaneDigests {
  uint32_t lanes[kGpuLanes];  // of the lowest warp that disagrees, else the expected one
  bool agree = true;
};

LaneDigests lane_digests_of(const Returned& returned, const Expected& expected, uint32_t smid) {
  const uint32_t* rows = returned.digests + size_t{smid} * kFullWarps * kWarpLanes;
  LaneDigests out;
  for (uint32_t lane = 0; lane < kGpuLanes; lane++) {
    out.lanes[lane] = expected.lanes()[lane];
    const uint32_t first = lane / kWarpLanes * kWarpsPerGroup;
    for (uint32_t warp = first + kWarpsPerGroup; warp-- > first;) {
      const uint32_t digest = rows[warp * kWarpLanes + lane % kWarpLanes];
      if (digest == expected.lanes()[lane]) continue;
      out.lanes[lane] = digest;
      out.agree = false;
    }
  }
  return out;
}

bool comes_before(const MismatchRecord& a, const MismatchRecord& b) {
  if (a.block != b.block) return a.block < b.block;
  return a.lane != b.lane ? a.lane < b.lane : a.warp < b.warp;
}

const MismatchRecord* first_of(const MismatchTable& table, uint32_t smid) {
  const MismatchRecord* first = nullptr;
  const uint32_t count = table.count < kMostMismatches ? table.count : kMostMismatches;
  for (uint32_t k = 0; k < count; k++) {
    const MismatchRecord& entry = table.entries[k];
    if (entry.smid == smid && (first == nullptr || comes_before(entry, *first))) first = &entry;
  }
  return first;
}

void describe(Mismatch& out, const MismatchRecord& entry) {
  out.lane = entry.lane;
  out.iteration = entry.block * kGpuBlock;
  out.expected = {entry.expected};
  out.actual = {entry.actual};
  out.gpu.warp = entry.warp;
  out.gpu.sub_partition = entry.warp_id % kSubPartitions;
  out.gpu.within_iterations = kGpuBlock;
  out.gpu.has_address = entry.has_address != 0;
  out.gpu.address = entry.address;
}

// No room was left in the table: somewhere in the whole run.
void describe_digests(Mismatch& out, const Returned& returned, const Expected& expected, uint32_t smid) {
  const uint32_t* rows = returned.digests + size_t{smid} * kFullWarps * kWarpLanes;
  for (uint32_t k = 0; k < kFullWarps * kWarpLanes; k++) {
    const uint32_t warp = k / kWarpLanes, lane = warp / kWarpsPerGroup * kWarpLanes + k % kWarpLanes;
    if (rows[k] == expected.lanes()[lane]) continue;
    out.lane = lane;
    out.expected = {expected.lanes()[lane]};
    out.actual = {rows[k]};
    out.gpu.warp = warp;
    out.gpu.sub_partition = returned.records[smid].warp_ids[warp] % kSubPartitions;
    break;
  }
  out.gpu.within_iterations = expected.blocks * kGpuBlock;
}

std::string one_sided(uint32_t reported) {
  if (reported == 0) return "what came back differs from what the device compared: it found no disagreement";
  return "what came back is right, and the device found " + std::to_string(reported) + " disagreements";
}

}  // namespace

SmResult verdict_on(const Returned& returned, const MismatchTable& mismatches, const Expected& expected,
                    uint32_t smid) {
  SmResult out;
  out.sm = smid;
  const Placed placement = placed_on(returned, smid);
  if (placement.seat != Seat::kRan) {
    out.reason = placement.seat == Seat::kMissing ? "no block of any launch was placed on this SM" : placement.why;
    return out;
  }
  const LaneDigests actual = lane_digests_of(returned, expected, smid);
  const uint32_t reported = returned.records[smid].mismatches;
  out.digest = fold_gpu_lanes(actual.lanes);
  out.result = Result::kPass;
  if (actual.agree && reported == 0) return out;
  if (actual.agree || reported == 0) {
    out.result = Result::kInconclusive;
    out.reason = one_sided(reported);
    return out;
  }
  out.result = Result::kFail;
  out.has_mismatch = true;
  out.mismatch.on_gpu = true;
  out.mismatch.expected_digest = fold_gpu_lanes(expected.lanes());
  out.mismatch.actual_digest = out.digest;
  out.mismatch.mismatch_count = reported;
  const MismatchRecord* entry = first_of(mismatches, smid);
  if (entry != nullptr) {
    describe(out.mismatch, *entry);
  } else {
    describe_digests(out.mismatch, returned, expected, smid);
  }
  return out;
}

}  // namespace sentinel::cuda
