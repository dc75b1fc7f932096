// What a launch on healthy SMs leaves behind, for tests to spoil.
#pragma once
#include <string.h>

#include <vector>

#include "../../cuda/verdict.h"

namespace sentinel::cuda {

struct FakeLaunch {
  static constexpr uint32_t kSlots = 8, kBlocks = 2, kTicket = 7;

  // SMs 1, 3, 4 and 6 of eight slots; every lane's digests are those of `golden`.
  FakeLaunch()
      : claims(kSlots, kTicket - 1),
        records(kSlots),
        digests(kSlots * kFullWarps * kWarpLanes, kPoison * 0x01010101u),
        running(kSlots * kFullWarps * kBlocks * kWarpLanes, kPoison * 0x01010101u),
        golden(kBlocks * kGpuLanes) {
    memset(static_cast<void*>(records.data()), kPoison, records.size() * sizeof(SmRecord));
    for (uint32_t k = 0; k < golden.size(); k++) golden[k] = k * 0x9e3779b1u + 1;
    for (uint32_t smid : sms) place(smid);
  }

  void place(uint32_t smid) {
    claims[smid] = kTicket;
    records[smid] = {kTicket, smid, smid, 0xff, 0, {}, kSlots, 1000, 2000};
    for (uint32_t warp = 0; warp < kFullWarps; warp++) {
      records[smid].warp_ids[warp] = warp + 8;
      for (uint32_t place = 0; place < kWarpLanes; place++) {
        const uint32_t lane = warp / kWarpsPerGroup * kWarpLanes + place;
        for (uint32_t block = 0; block < kBlocks; block++)
          running_of(smid, warp, block, place) = golden[block * kGpuLanes + lane];
        digest(smid, warp, place) = golden[(kBlocks - 1) * kGpuLanes + lane];
      }
    }
  }

  uint32_t& digest(uint32_t smid, uint32_t warp, uint32_t place) {
    return digests[(smid * kFullWarps + warp) * kWarpLanes + place];
  }
  uint32_t& running_of(uint32_t smid, uint32_t warp, uint32_t block, uint32_t place) {
    return running[((smid * kFullWarps + warp) * kBlocks + block) * kWarpLanes + place];
  }
  Returned returned() const { return {claims.data(), records.data(), digests.data(), kSlots, kTicket}; }
  Expected expected() const { return {golden.data(), kBlocks}; }

  std::vector<uint32_t> sms{1, 3, 4, 6};
  std::vector<uint32_t> claims;
  std::vector<SmRecord> records;
  std::vector<uint32_t> digests, running, golden;
  MismatchTable mismatches{};
};

}  // namespace sentinel::cuda
