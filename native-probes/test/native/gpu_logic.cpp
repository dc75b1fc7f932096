// The parts of cuda/ that need no GPU: placement, verdicts, majority, qualification, census, calibration, tables.
#include "../../core/fold.h"
#include "../../cpu/pinned_thread.h"
#include "../../cuda/copies.h"
#include "../../cuda/inventory.h"
#include "../../cuda/known_answers.h"
#include "../../cuda/majority.h"
#include "../../cuda/sfu_objection.h"
#include "../../cuda/switch_cost.h"
#include "check.h"
#include "fake_launch.h"

namespace sentinel::cuda {
namespace {

void places() {
  FakeLaunch launch;
  for (uint32_t smid : launch.sms) CHECK(placed_on(launch.returned(), smid).seat == Seat::kRan);
  CHECK(placed_on(launch.returned(), 0).seat == Seat::kMissing);
  CHECK(placed_on(launch.returned(), 99).seat == Seat::kMissing);
  CHECK((missing_of(launch.returned(), {1, 2, 3, 7}) == std::vector<uint32_t>{2, 7}));
}

template <class Spoil>
std::string why_discarded(Spoil spoil) {
  FakeLaunch launch;
  spoil(launch);
  const Placed placed = placed_on(launch.returned(), 3);
  CHECK(placed.seat == Seat::kDiscarded);
  CHECK(placed_on(launch.returned(), 4).seat == Seat::kRan);
  CHECK(missing_of(launch.returned(), {3}).empty());
  CHECK(verdict_on(launch.returned(), launch.mismatches, launch.expected(), 3).result == Result::kNotRun);
  return placed.why;
}

void discards() {
  CHECK(why_discarded([](FakeLaunch& x) { x.records[3].last_smid = 4; }) == "the block moved from SM 3 to SM 4");
  CHECK(why_discarded([](FakeLaunch& x) { x.records[3].first_smid = 9; }) == "the block moved from SM 9 to SM 3");
  CHECK(why_discarded([](FakeLaunch& x) { x.records[3].ticket = 0xa5a5a5a5; }) == "the block did not reach its end");
  CHECK(why_discarded([](FakeLaunch& x) { x.records[3].ticket = 6; }) == "the record is of another launch");
  CHECK(why_discarded([](FakeLaunch& x) { x.records[3].warps = 0xbf; }) == "warps that left no result: 6");
  CHECK(why_discarded([](FakeLaunch& x) { x.records[3].warps = 0x1ff; }) == "the record is damaged");
  CHECK(why_discarded([](FakeLaunch& x) { x.records[3].end_ns = 1; }) == "the record is damaged");
  CHECK(why_discarded([](FakeLaunch& x) {
          for (uint32_t place = 0; place < kWarpLanes; place++) x.digest(3, 2, place) = 0xa5a5a5a5;
        }) == "warps that left no result: 2");
}

void passes() {
  FakeLaunch launch;
  const SmResult result = verdict_on(launch.returned(), launch.mismatches, launch.expected(), 3);
  CHECK(result.result == Result::kPass && !result.has_mismatch && result.reason.empty());
  CHECK(result.digest == fold_gpu_lanes(launch.expected().lanes()));
  CHECK(verdict_on(launch.returned(), launch.mismatches, launch.expected(), 2).result == Result::kNotRun);
}

// The kernel's report names block, lane and warp: the first of them is told.
void fails_with_detail() {
  FakeLaunch launch;
  launch.digest(3, 5, 2) ^= 1;
  launch.records[3].mismatches = 2;
  launch.mismatches.count = 3;
  launch.mismatches.entries[0] = {4, 0, 0, 0, 0, 1, 2, 0, 0};
  launch.mismatches.entries[1] = {3, 6, 14, 34, 1, 10, 11, 0, 0};
  launch.mismatches.entries[2] = {3, 5, 13, 34, 1, 10, 12, 0, 0};
  const SmResult result = verdict_on(launch.returned(), launch.mismatches, launch.expected(), 3);
  CHECK(result.result == Result::kFail && result.has_mismatch && result.mismatch.on_gpu);
  CHECK(result.mismatch.lane == 34 && result.mismatch.iteration == 32 && result.mismatch.gpu.within_iterations == 32);
  CHECK(result.mismatch.gpu.warp == 5 && result.mismatch.gpu.sub_partition == 1);
  CHECK(result.mismatch.expected[0] == 10 && result.mismatch.actual[0] == 12 && result.mismatch.mismatch_count == 2);
  CHECK(result.mismatch.expected_digest == fold_gpu_lanes(launch.expected().lanes()));
  CHECK(result.mismatch.actual_digest == result.digest && result.digest != result.mismatch.expected_digest);
}

// What did not fit in the table is told from the digests.
void fails_without_detail() {
  FakeLaunch launch;
  launch.digest(3, 7, 31) ^= 0x80000000;
  launch.records[3].mismatches = 1;
  const SmResult result = verdict_on(launch.returned(), launch.mismatches, launch.expected(), 3);
  CHECK(result.result == Result::kFail && result.has_mismatch);
  CHECK(result.mismatch.lane == 63 && result.mismatch.gpu.warp == 7);
  CHECK(result.mismatch.gpu.within_iterations == 64);
}

// A wrong digest that the kernel did not report, or a report with right digests, accuses nobody.
void one_side_alone_is_inconclusive() {
  FakeLaunch silent;
  silent.digest(3, 7, 31) ^= 0x80000000;
  const SmResult unreported = verdict_on(silent.returned(), silent.mismatches, silent.expected(), 3);
  CHECK(unreported.result == Result::kInconclusive && !unreported.has_mismatch);
  CHECK(unreported.reason.find("differs from what the device compared") != std::string::npos);
  FakeLaunch loud;
  loud.records[3].mismatches = 1;
  const SmResult unfounded = verdict_on(loud.returned(), loud.mismatches, loud.expected(), 3);
  CHECK(unfounded.result == Result::kInconclusive && !unfounded.has_mismatch);
  CHECK(unfounded.reason.find("the device found 1 disagreements") != std::string::npos);
  CHECK(verdict_on(loud.returned(), loud.mismatches, loud.expected(), 4).result == Result::kPass);
}

// Of the warps that disagree, the lowest one's digest stands for the lane.
void digest_is_of_the_lowest_warp() {
  FakeLaunch one, both;
  one.digest(3, 1, 0) ^= 1;
  both.digest(3, 1, 0) ^= 1;
  both.digest(3, 2, 0) ^= 2;
  CHECK(verdict_on(one.returned(), one.mismatches, one.expected(), 3).digest ==
        verdict_on(both.returned(), both.mismatches, both.expected(), 3).digest);
}

struct Vote {
  std::vector<uint32_t> golden;
  Majority majority;
  bool decided() const { return majority.missing.empty(); }
};

Vote vote_of(FakeLaunch& launch) {
  Vote out{std::vector<uint32_t>(launch.golden.size()), {}};
  out.majority =
      majority_of(launch.returned(), launch.running.data(), FakeLaunch::kBlocks, launch.sms, out.golden.data());
  return out;
}

void change_warps(FakeLaunch& launch, uint32_t smid, uint32_t first, uint32_t count) {
  for (uint32_t warp = first; warp < first + count; warp++) {
    launch.running_of(smid, warp, 1, 5) ^= 1;
    launch.digest(smid, warp, 5) ^= 1;
  }
}

void majority_decides() {
  FakeLaunch healthy;
  CHECK(vote_of(healthy).decided() && vote_of(healthy).golden == healthy.golden);
  FakeLaunch launch;
  change_warps(launch, 1, 0, 4);
  const Vote vote = vote_of(launch);
  CHECK(vote.decided() && vote.golden == launch.golden && vote.majority.sm != 1);
  report_disagreements(launch.returned(), launch.running.data(), {vote.golden.data(), FakeLaunch::kBlocks},
                       launch.records.data(), launch.mismatches);
  CHECK(launch.records[1].mismatches == 4 && launch.mismatches.count == 4 && launch.records[3].mismatches == 0);
  const SmResult wrong = verdict_on(launch.returned(), launch.mismatches, launch.expected(), 1);
  CHECK(wrong.result == Result::kFail && wrong.mismatch.lane == 5 && wrong.mismatch.iteration == 32);
}

void majority_is_strict() {
  FakeLaunch tie;
  change_warps(tie, 1, 0, 4);
  change_warps(tie, 3, 0, 4);
  CHECK(vote_of(tie).majority.missing.find("more than half of the 4") != std::string::npos);
  FakeLaunch few;
  few.sms = {1, 3};
  CHECK(vote_of(few).majority.missing.find("at least 3") != std::string::npos);
  // An SM whose warps disagree has no vote, and counts among those that ran.
  FakeLaunch torn;
  change_warps(torn, 1, 2, 1);
  change_warps(torn, 3, 2, 1);
  CHECK(!vote_of(torn).decided());
}

// An SM whose special functions all give 0, and digests them rightly or not.
void majority_is_doubted() {
  constexpr uint32_t kBlocks = kSfuIterations / kGpuBlock;
  const std::vector<uint32_t> zeros(kSfuSampleWords);
  std::vector<uint32_t> running(kBlocks * kGpuLanes, 77);
  for (uint64_t seed = 0; seed < 64; seed++) {
    const SfuSample sample = sfu_sample(seed);
    CHECK(sample.group < kGpuGroups && sample.block < kBlocks);
    uint32_t digest = sample.block == 0 ? 0 : 77;
    for (uint32_t k = 0; k < kGpuBlock * kSfuResultWords; k++) digest = fold(digest, 0);
    std::vector<uint32_t> majority = running;
    for (uint32_t place = 0; place < kWarpLanes; place++)
      majority[sample.block * kGpuLanes + sample.group * kWarpLanes + place] = digest;
    const std::string objection = sfu_objection(seed, {majority.data(), kBlocks}, zeros.data());
    CHECK(objection.find("outside of the documented error of ") != std::string::npos);
    majority[sample.block * kGpuLanes + sample.group * kWarpLanes + 31] ^= 1;
    CHECK(sfu_objection(seed, {majority.data(), kBlocks}, zeros.data()).find("are not those") != std::string::npos);
  }
}

std::vector<GpuKnownAnswerReport> answered(uint32_t passed, uint32_t failed) {
  std::vector<GpuKnownAnswerReport> out(passed + failed);
  for (uint32_t k = 0; k < out.size(); k++) out[k].report.result = k < passed ? Result::kPass : Result::kFail;
  qualify(out);
  return out;
}

void families_qualify() {
  CHECK(answered(3, 1).back().report.result == Result::kFail);
  CHECK(answered(2, 2).back().report.result == Result::kFail);
  CHECK(answered(1, 3).back().report.result == Result::kInconclusive);
  CHECK(answered(1, 3).front().report.result == Result::kPass);
  CHECK(answered(0, 1).front().report.result == Result::kInconclusive);
  CHECK(answered(0, 4).front().report.reason.find("0 of 4 SMs") != std::string::npos);
}

void census_is_merged() {
  Census cuda;
  cuda.devices.resize(1);
  cuda.devices[0].uuid = "GPU-a";
  nvml::Inventory inventory;
  inventory.driver_version = "535.183.01";
  inventory.cuda_version = "12.2";
  inventory.devices.resize(3);
  inventory.devices[0].uuid = "GPU-a";
  inventory.devices[0].serial = "123";
  inventory.devices[0].vbios = "96.00";
  inventory.devices[1].uuid = "GPU-b";
  inventory.devices[1].mig_enabled = true;
  inventory.devices[2].uuid = "MIG-c";
  inventory.devices[2].parent_uuid = "GPU-b";
  const Census merged_census = merged(cuda, inventory);
  CHECK(merged_census.devices.size() == 2);
  CHECK(merged_census.devices[0].serial == "123" && merged_census.devices[0].driver_version == "535.183.01");
  CHECK(merged_census.devices[0].vbios == "96.00" && merged_census.devices[0].cuda_version == "12.2");
  CHECK(merged_census.devices[1].uuid == "MIG-c" && merged_census.devices[1].parent_uuid == "GPU-b");
}

void costs_and_tables() {
  CHECK(median_difference({1, 2, 3}, {11, 4, 6}) == 3);
  CHECK(median_difference({10, 10}, {1, 2}) == 0);
  for (uint32_t slots : {1u, 7u, 144u, kMostSlots}) {
    const TableLayout layout = table_layout(slots);
    CHECK(layout.records >= slots * sizeof(uint32_t) && layout.digests >= layout.records + slots * sizeof(SmRecord));
    CHECK(layout.golden >= layout.mismatches + sizeof(MismatchTable) && layout.bytes >= layout.golden + kGoldenBytes);
    CHECK(layout.records % 8 == 0 && layout.mismatches % 8 == 0);
    CHECK(layout.bytes < kLeastDeviceBytes / 2);
    const size_t of_majority = running_bytes(slots, kSfuIterations / kGpuBlock) + results_bytes(slots);
    CHECK(layout.bytes + of_majority <= kLeastDeviceBytes);
  }
}

// Three regions, of which the GPU returned two as they should be; both CPUs of the golden are this one.
struct FakeCopy {
  FakeCopy() : cpus{current_cpu()}, copies(5, 3, cpus), sent(copy_bytes(3) / 4), returned(sent.size()) {
    copies.fill(sent.data());
    fill_copy({5, kCopyFromGpu, 3}, returned.data());
    memset(returned.data() + returned.size() / 3 * 2, kPoison, returned.size() / 3 * 4);
  }

  SmResult judge(uint32_t sm, Result by_kernel) {
    SmResult result;
    result.sm = sm;
    result.result = by_kernel;
    copies.judge(result, sent.data(), returned.data());
    return result;
  }

  std::vector<uint32_t> cpus;
  Copies copies;
  std::vector<uint32_t> sent, returned;
};

void copies_are_judged() {
  FakeCopy copy;
  CHECK(copy.judge(0, Result::kPass).result == Result::kPass && copy.judge(1, Result::kPass).result == Result::kPass);
  CHECK(copy.judge(2, Result::kPass).result == Result::kFail);
  CHECK(copy.judge(2, Result::kNotRun).result == Result::kNotRun);
  CHECK(copy.judge(0, Result::kFail).result == Result::kFail);
  const size_t at = copy.returned.size() / 3 + 77;
  copy.returned[at] ^= 4;
  const SmResult wrong = copy.judge(1, Result::kPass);
  CHECK(wrong.result == Result::kFail && wrong.mismatch.mismatch_count == 1 && wrong.mismatch.gpu.address == at * 4);
  CHECK((wrong.mismatch.expected[0] ^ wrong.mismatch.actual[0]) == 4);
  copy.sent[3] ^= 1;
  CHECK(copy.judge(0, Result::kFail).result == Result::kInconclusive);
}

}  // namespace
}  // namespace sentinel::cuda

int main() {
  using namespace sentinel::cuda;
  places();
  discards();
  passes();
  fails_with_detail();
  fails_without_detail();
  one_side_alone_is_inconclusive();
  digest_is_of_the_lowest_warp();
  majority_decides();
  majority_is_strict();
  majority_is_doubted();
  families_qualify();
  census_is_merged();
  costs_and_tables();
  copies_are_judged();
  return failed_checks() == 0 ? 0 : 1;
}
