#include "placement.h"

namespace sentinel::cuda {
namespace {

constexpr uint32_t kPoisonWord = kPoison * 0x01010101u;
constexpr uint32_t kAllWarps = (1u << kFullWarps) - 1;

Placed discarded(const std::string& why) { return {Seat::kDiscarded, why}; }

// A digest may equal the poison by chance, those of a whole warp do not.
bool left_digests(const Returned& returned, uint32_t smid, uint32_t warp) {
  const uint32_t* row = returned.digests + (size_t{smid} * kFullWarps + warp) * kWarpLanes;
  for (uint32_t lane = 0; lane < kWarpLanes; lane++) {
    if (row[lane] != kPoisonWord) return true;
  }
  return false;
}

std::string warps_without_digests(const Returned& returned, uint32_t smid) {
  std::string names;
  for (uint32_t warp = 0; warp < kFullWarps; warp++) {
    const bool finished = (returned.records[smid].warps >> warp & 1) != 0;
    if (!finished || !left_digests(returned, smid, warp)) names += (names.empty() ? "" : ", ") + std::to_string(warp);
  }
  return names;
}

}  // namespace

Placed placed_on(const Returned& returned, uint32_t smid) {
  if (smid >= returned.slots || returned.claims[smid] != returned.ticket) return {Seat::kMissing, ""};
  const SmRecord& record = returned.records[smid];
  if (record.ticket == kPoisonWord) return discarded("the block did not reach its end");
  if (record.ticket != returned.ticket) return discarded("the record is of another launch");
  if (record.first_smid != smid || record.last_smid != smid) {
    return discarded("the block moved from SM " + std::to_string(record.first_smid) + " to SM " +
                     std::to_string(record.last_smid));
  }
  if ((record.warps & ~kAllWarps) != 0 || record.end_ns < record.start_ns) return discarded("the record is damaged");
  const std::string silent = warps_without_digests(returned, smid);
  if (!silent.empty()) return discarded("warps that left no result: " + silent);
  return {Seat::kRan, ""};
}

std::vector<uint32_t> missing_of(const Returned& returned, const std::vector<uint32_t>& sms) {
  std::vector<uint32_t> out;
  for (uint32_t smid : sms) {
    if (placed_on(returned, smid).seat == Seat::kMissing) out.push_back(smid);
  }
  return out;
}

}  // namespace sentinel::cuda
