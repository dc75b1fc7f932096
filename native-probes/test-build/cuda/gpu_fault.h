// The faults that the kernels of the test build imitate: one layout for the host, which writes the table before every
// execution, and for the kernels' tap (result_tap.h), through which every result passes before its fold.
//
// The table is a global of each test cubin, named kGpuFaultsSymbol, empty until it is written. It holds those faults of
// the family that runs next which act in this execution: onset, heat, clock and bursts are the host's to decide, who
// leaves a fault out or gives it another threshold. Relaunches of missing SMs see the same table.
#pragma once
#include "../../core/gpu_families.h"
#include "../effects.h"

namespace sentinel::injection {

constexpr char kGpuFaultsSymbol[] = "sentinel_gpu_faults";
constexpr uint32_t kMostGpuFaults = 16;
constexpr uint32_t kAnyPlace = 0xffffffffu;
constexpr uint32_t kAlways = 0xffffffffu;

struct GpuFault {
  uint64_t random;         // where its generator starts: an execution that is to differ from others starts elsewhere
  uint32_t sm;             // %smid, or kAnyPlace
  uint32_t sub_partition;  // %warpid mod 4, or kAnyPlace
  uint32_t lane;           // logical, 0..63: the one whose result the word is, or goes into; or kAnyPlace
  Effect effect;           // none of those that CPUs alone have
  uint32_t mask;           // bits that the effect touches; 0: one random bit each time
  uint32_t data_mask, data_value;  // only words with (word & data_mask) == data_value
  uint32_t threshold;              // acts on a word with probability threshold / 2^32, or kAlways
  // In place of `threshold` where it is not 0: acts in an execution of an SM with probability threshold_exec / 2^32, or
  // kAlways, and then on one word of one thread, drawn among those that sub_partition and lane leave.
  uint32_t threshold_exec;
  uint32_t same;  // 1: all SMs falsify alike, so that their wrong digests are equal
};
static_assert(sizeof(GpuFault) == 48, "one layout for host and device");

struct GpuFaults {
  uint32_t count;       // of `faults`; 0: the kernels compute as the release's do
  uint32_t iterations;  // GpuShape::iterations of the family
  uint32_t words;       // tapped_words() of the family
  uint32_t changed;     // words that faults changed since the host wrote the table
  GpuFault faults[kMostGpuFaults];
};
static_assert(sizeof(GpuFaults) == 16 + kMostGpuFaults * sizeof(GpuFault), "one layout for host and device");

// Words per lane and iteration among which a fault per execution draws: the results that are folded; of the memory
// families the first word of each column that is read; of regfile register 0, the only one that is tapped.
SENTINEL_CORE constexpr uint32_t tapped_words(Family family) {
  switch (family) {
    case Family::kRegfile:
    case Family::kSmem:
    case Family::kL2:
    case Family::kHbm:
    case Family::kCopy: return 1;
    default: return gpu_shape_of(family).result_words;
  }
}

}  // namespace sentinel::injection
