// smem: marches over all shared memory of the block, each with a layout and an access of its own.
#pragma once
#include "../../core/smem.h"
#include "../march.h"

namespace sentinel {

// Columns of `warps` warps, of n words each, that take all shared memory.
struct SharedColumns {
  uint32_t n, warps;

  template <uint32_t kWarps>
  SENTINEL_DEVICE SharedColumns of_block() {
    return {device::dynamic_shared_bytes() / 4 / (kWarps * kWarpLanes), kWarps};
  }
  SENTINEL_MEMBER uint32_t row(const WarpLane& owner) const { return owner.warp % warps * kWarpLanes + owner.place; }
};

// kWidth words at a time; neighbouring lanes side by side, so that no two want the same bank.
template <uint32_t kWidth>
struct Interleaved {
  static constexpr uint32_t kWords = kWidth;
  static constexpr bool kByCopyAndMatrix = false;
  SENTINEL_DEVICE uint32_t word(const SharedColumns& columns, const WarpLane& owner, uint32_t j) {
    const uint32_t rows = columns.warps * kWarpLanes;
    return (j / kWidth * rows + columns.row(owner)) * kWidth + j % kWidth;
  }
};

// A column in one piece: the banks of a warp's lanes depend on n, and collide where it is even.
struct Contiguous {
  static constexpr uint32_t kWords = 1;
  static constexpr bool kByCopyAndMatrix = false;
  SENTINEL_DEVICE uint32_t word(const SharedColumns& columns, const WarpLane& owner, uint32_t j) {
    return columns.row(owner) * columns.n + j;
  }
};

// Written by asynchronous copies from the arena, read as matrices.
struct Matrices : Interleaved<4> {
  static constexpr bool kByCopyAndMatrix = true;
};

// Of the words that do not fill a group: they lie behind the groups.
SENTINEL_DEVICE uint32_t rest_word(const SharedColumns& columns, const WarpLane& owner, uint32_t j) {
  return Interleaved<1>::word(columns, owner, j);
}

template <class Layout>
class SharedMarch {
  static constexpr uint32_t kWidth = Layout::kWords;

 public:
  SENTINEL_MEMBER SharedMarch(const LaunchArguments& arguments, const SharedColumns& columns, const WarpLane& owner,
                              uint32_t number, uint32_t mask)
      : arguments_(arguments),
        columns_(columns),
        column_(column_at(arguments.seed, owner.warp, owner.logical(), number)),
        owner_(owner),
        number_(number),
        mask_(mask) {}

  SENTINEL_MEMBER void write() const {
    uint32_t j = 0;
    if constexpr (Layout::kByCopyAndMatrix) j = write_by_copies();
    for (; j + kWidth <= columns_.n; j += kWidth) store<kWidth>(Layout::word(columns_, owner_, j), j, mask_);
    for (; j < columns_.n; j++) store<1>(rest_word(columns_, owner_, j), j, mask_);
  }

  SENTINEL_MEMBER MarchRead read(uint32_t iteration, bool rewrites, LaneResults& results) const {
    MarchRead read;
    uint32_t j = 0;
    if constexpr (Layout::kByCopyAndMatrix) {
      read = read_matrices(iteration, rewrites, results);
      j = columns_.n / kWidth * kWidth;
    }
    const ResultTap tapped = results.tap(iteration);
    for (; j + kWidth <= columns_.n; j += kWidth)
      visit<kWidth>(Layout::word(columns_, owner_, j), j, rewrites, tapped, read, results);
    for (; j < columns_.n; j++) visit<1>(rest_word(columns_, owner_, j), j, rewrites, tapped, read, results);
    return read;
  }

 private:
  template <uint32_t kWords>
  SENTINEL_MEMBER void store(uint32_t word, uint32_t j, uint32_t mask) const {
    uint32_t values[kWords];
    for (uint32_t k = 0; k < kWords; k++) values[k] = column_.word(columns_.n, j + k) ^ mask;
    device::store_shared<kWords>(word, values);
  }

  template <uint32_t kWords>
  SENTINEL_MEMBER void visit(uint32_t word, uint32_t j, bool rewrites, const ResultTap& tapped, MarchRead& read,
                             LaneResults& results) const {
    uint32_t found[kWords];
    device::load_shared<kWords>(word, found);
    for (uint32_t k = 0; k < kWords; k++) {
      const uint32_t expected = column_.word(columns_.n, j + k) ^ mask_, is = tapped(j + k, found[k]);
      read.add(columns_.n, j + k, is, expected);
      if (is != expected) results.note_wrong_word((word + k) * sizeof(uint32_t));
    }
    if (rewrites) store<kWords>(word, j, ~mask_);
  }

  // Through this SM's part of the arena; by itself where that does not reach. Returns how many words are written.
  SENTINEL_MEMBER uint32_t write_by_copies() const {
    const uint64_t bytes = uint64_t{columns_.n} * columns_.warps * kWarpLanes * sizeof(uint32_t);
    if ((owner_.smid + 1) * bytes > arguments_.arena_bytes) return 0;
    uint32_t* const staged = table<uint32_t>(arguments_.arena + owner_.smid * bytes);
    const uint32_t whole = columns_.n / kWidth * kWidth;
    for (uint32_t j = 0; j < whole; j++)
      device::store_cg(staged + Layout::word(columns_, owner_, j), column_.word(columns_.n, j) ^ mask_);
    for (uint32_t j = 0; j < whole; j += kWidth)
      device::copy_to_shared(Layout::word(columns_, owner_, j), staged + Layout::word(columns_, owner_, j));
    device::wait_for_copies();
    return whole;
  }

  // A lane gets one word in four of four lanes' columns; sums and differences then go to the lane that asked for them.
  SENTINEL_MEMBER MarchRead read_matrices(uint32_t iteration, bool rewrites, LaneResults& results) const {
    const WarpLane mine = {owner_.smid, owner_.warp, lane_in_warp()};
    MarchRead parts[kWidth];
    for (uint32_t j = 0; j + kWidth <= columns_.n; j += kWidth) {
      uint32_t found[kWidth];
      device::load_matrices(Layout::word(columns_, mine, j), found);
      device::sync_warp();  // another lane's words are this one's to overwrite
      SENTINEL_UNROLLED
      for (uint32_t q = 0; q < kWidth; q++) {
        const ResultTap tapped(lane_that_reads(fragment_owner(q)), iteration);
        const uint32_t number = j + mine.place % kWidth;
        check_fragment(q, number, tapped(number, found[q]), parts[q], results);
      }
      if (rewrites) store<kWidth>(Layout::word(columns_, owner_, j), j, ~mask_);
    }
    return gathered(parts);
  }

  // Whose column the fragment q of this lane is of.
  SENTINEL_MEMBER WarpLane fragment_owner(uint32_t q) const {
    return {owner_.smid, owner_.warp, 8 * q + lane_in_warp() / kWidth};
  }

  SENTINEL_MEMBER void check_fragment(uint32_t q, uint32_t j, uint32_t found, MarchRead& part,
                                      LaneResults& results) const {
    const WarpLane of = fragment_owner(q);
    const uint32_t expected =
        column_at(arguments_.seed, of.warp, of.logical(), number_).word(columns_.n, j) ^ mask_;
    part.add(columns_.n, j, found, expected);
    if (found != expected) results.note_wrong_word(Layout::word(columns_, of, j) * sizeof(uint32_t));
  }

  // The logical lane to which the sum of this column of the warp goes.
  SENTINEL_MEMBER uint32_t lane_that_reads(const WarpLane& of) const {
    const uint32_t partner = owner_.place ^ lane_in_warp();
    return WarpLane{of.smid, of.warp, of.place ^ partner}.logical();
  }

  SENTINEL_MEMBER MarchRead gathered(const MarchRead* parts) const {
    MarchRead out;
    SENTINEL_UNROLLED
    for (uint32_t q = 0; q < kWidth; q++) {
      uint32_t sum = parts[q].sum, difference = parts[q].difference;
      for (uint32_t distance = 1; distance < kWidth; distance *= 2) {
        sum += device::shuffle_xor(sum, distance);
        difference |= device::shuffle_xor(difference, distance);
      }
      sum = device::shuffle(sum, owner_.place % 8 * kWidth);
      difference = device::shuffle(difference, owner_.place % 8 * kWidth);
      if (q == owner_.place / 8) {
        out.sum = sum;
        out.difference = difference;
      }
    }
    return out;
  }

  const LaunchArguments& arguments_;
  const SharedColumns& columns_;
  const Column column_;
  const WarpLane owner_;
  const uint32_t number_, mask_;
};

// All threads call. One march in one layout.
template <class Layout>
SENTINEL_DEVICE void march_shared(const LaunchArguments& arguments, const SharedColumns& columns, const WarpLane& lane,
                                  uint32_t number, LaneResults& results) {
  SharedMarch<Layout>(arguments, columns, lane, number, 0).write();
  for (uint32_t r = 0; r < kMarchReads; r++) {
    device::sync_block();
    const WarpLane owner = owner_of(lane, number, r);
    const SharedMarch<Layout> march(arguments, columns, owner, number, mask_of(r));
    const MarchRead read = march.read(number * kMarchReads + r, r + 1 < kMarchReads, results);
    add_read(results, read, columns.n, owner.warp, r == 1);
    results.end_iteration(number * kMarchReads + r);
  }
  device::sync_block();
}

SENTINEL_DEVICE void march_shared(const LaunchArguments& arguments, const SharedColumns& columns, const WarpLane& lane,
                                  uint32_t number, LaneResults& results) {
  switch (number % 5) {
    case 0: return march_shared<Interleaved<1>>(arguments, columns, lane, number, results);
    case 1: return march_shared<Interleaved<2>>(arguments, columns, lane, number, results);
    case 2: return march_shared<Interleaved<4>>(arguments, columns, lane, number, results);
    case 3: return march_shared<Matrices>(arguments, columns, lane, number, results);
    default: return march_shared<Contiguous>(arguments, columns, lane, number, results);
  }
}

template <uint32_t kWarps>
SENTINEL_DEVICE void run_smem(const LaunchArguments& arguments) {
  const uint32_t smid = take_sm(arguments);
  if (smid == kNoSm) return device::hold(arguments.hold_ns);
  const SharedColumns columns = SharedColumns::of_block<kWarps>();
  for (uint32_t warp = warp_in_block(); warp < kFullWarps; warp += kWarps) {
    const WarpLane lane = WarpLane::of(smid, warp);
    LaneResults results(arguments, lane);
    SENTINEL_ROLLED
    for (uint32_t number = 0; number < arguments.iterations / kMarchReads; number++)
      march_shared(arguments, columns, lane, number, results);
    results.finish();
  }
  finish_sm(arguments, smid);
}

}  // namespace sentinel

SENTINEL_BOTH_KERNELS(smem, sentinel::run_smem)
