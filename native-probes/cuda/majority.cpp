#include "majority.h"

#include <string.h>

namespace sentinel::cuda {
namespace {

struct Running {
  const uint32_t* words;  // [slots][kFullWarps][blocks][kWarpLanes]
  uint32_t blocks;
  const uint32_t* of(uint32_t smid, uint32_t warp) const {
    return words + (size_t{smid} * kFullWarps + warp) * blocks * kWarpLanes;
  }
  size_t bytes_of_warp() const { return size_t{blocks} * kWarpLanes * sizeof(uint32_t); }
  bool same(uint32_t smid, uint32_t warp, uint32_t other_smid, uint32_t other_warp) const {
    return memcmp(of(smid, warp), of(other_smid, other_warp), bytes_of_warp()) == 0;
  }
};

bool agrees_with_itself(const Running& running, uint32_t smid) {
  for (uint32_t warp = 0; warp < kFullWarps; warp++) {
    if (!running.same(smid, warp, smid, warp / kWarpsPerGroup * kWarpsPerGroup)) return false;
  }
  return true;
}

bool same_vote(const Running& running, uint32_t a, uint32_t b) {
  for (uint32_t group = 0; group < kGpuGroups; group++) {
    if (!running.same(a, group * kWarpsPerGroup, b, group * kWarpsPerGroup)) return false;
  }
  return true;
}

void write_golden(const Running& running, uint32_t smid, uint32_t* golden) {
  for (uint32_t block = 0; block < running.blocks; block++) {
    for (uint32_t group = 0; group < kGpuGroups; group++) {
      memcpy(golden + size_t{block} * kGpuLanes + group * kWarpLanes,
             running.of(smid, group * kWarpsPerGroup) + size_t{block} * kWarpLanes, kWarpLanes * sizeof(uint32_t));
    }
  }
}

// Boyer and Moore: the only vote that can have more than half; whether it does is counted afterwards.
uint32_t candidate_of(const Running& running, const std::vector<uint32_t>& voters) {
  uint32_t candidate = voters[0], lead = 0;
  for (uint32_t smid : voters) {
    if (lead == 0) candidate = smid;
    lead += lead == 0 || same_vote(running, smid, candidate) ? 1 : -1;
  }
  return candidate;
}

MismatchRecord first_difference(const Running& running, const Expected& golden, const SmRecord& record, uint32_t warp,
                                uint32_t place, bool& differs) {
  const uint32_t lane = warp / kWarpsPerGroup * kWarpLanes + place;
  MismatchRecord out{record.first_smid, warp, record.warp_ids[warp], lane, 0, 0, 0, 0, 0};
  for (differs = false; out.block < golden.blocks; out.block++) {
    out.expected = golden.running[size_t{out.block} * kGpuLanes + lane];
    out.actual = running.of(record.first_smid, warp)[size_t{out.block} * kWarpLanes + place];
    differs = out.expected != out.actual;
    if (differs) break;
  }
  return out;
}

}  // namespace

Majority majority_of(const Returned& returned, const uint32_t* running_words, uint32_t blocks,
                     const std::vector<uint32_t>& sms, uint32_t* golden) {
  const Running running{running_words, blocks};
  std::vector<uint32_t> ran, voters;
  for (uint32_t smid : sms) {
    if (placed_on(returned, smid).seat != Seat::kRan) continue;
    ran.push_back(smid);
    if (agrees_with_itself(running, smid)) voters.push_back(smid);
  }
  if (ran.size() < kLeastVoters) {
    return {std::to_string(ran.size()) + " SMs ran: a majority is of at least " + std::to_string(kLeastVoters)};
  }
  const Majority none{"no result is that of more than half of the " + std::to_string(ran.size()) + " SMs that ran"};
  if (voters.empty()) return none;
  const uint32_t candidate = candidate_of(running, voters);
  size_t votes = 0;
  for (uint32_t smid : voters) votes += same_vote(running, smid, candidate) ? 1 : 0;
  if (votes * 2 <= ran.size()) return none;
  write_golden(running, candidate, golden);
  return {"", candidate};
}

void report_disagreements(const Returned& returned, const uint32_t* running_words, const Expected& golden,
                          SmRecord* records, MismatchTable& mismatches) {
  const Running running{running_words, golden.blocks};
  for (uint32_t smid = 0; smid < returned.slots; smid++) {
    if (placed_on(returned, smid).seat != Seat::kRan) continue;
    for (uint32_t k = 0; k < kFullWarps * kWarpLanes; k++) {
      bool differs = false;
      const MismatchRecord entry =
          first_difference(running, golden, records[smid], k / kWarpLanes, k % kWarpLanes, differs);
      if (!differs) continue;
      records[smid].mismatches++;
      if (mismatches.count < kMostMismatches) mismatches.entries[mismatches.count] = entry;
      mismatches.count++;
    }
  }
}

}  // namespace sentinel::cuda
