// The backend of the test build: the release's kernels with a Tap that falsifies results inside the vector loop.
#include <sched.h>

#include "../core/convert32.h"
#include "../core/half.h"
#include "../cpu/features.h"
#include "../cpu/vector_units.h"
#include "../cpu/wide_units.h"
#include "fault_plan.h"
#include "wide_fault.h"

namespace sentinel::injection {
namespace {

uint32_t as_it_is(uint32_t word) { return word; }

// Changes one of the words, of a buffer that is compared bit by bit.
void alter_any(FaultSource& source, uint32_t* words, uint32_t count) {
  source.alter(words, count, [&](uint32_t k, uint32_t wrong) { return wrong != words[k]; });
}

uint32_t canonical16(uint32_t word) { return (word & 0x7fffu) > 0x7c00u ? kCanonicalNan16 : word; }
uint32_t canonical_pair(uint32_t word) { return canonical_halves(kBinary16, word); }

using CanonicalForm = uint32_t (*)(uint32_t word);

CanonicalForm canonical_form_of(ResultKind kind) {
  switch (kind) {
    case ResultKind::kBinary32: return canonical;
    case ResultKind::kBinary16: return canonical16;
    case ResultKind::kBinary16Pair: return canonical_pair;
    default: return as_it_is;
  }
}

// The sources at work in one execution, by what they falsify.
struct Sources {
  std::vector<FaultSource> results, operands[3], addresses;
};

class FaultTap {
 public:
  explicit FaultTap(Sources sources) : sources_(std::move(sources.results)), addresses_(std::move(sources.addresses)) {
    for (uint32_t k = 0; k < 3; k++) operands_[k] = std::move(sources.operands[k]);
  }

  template <Operand which>
  __m256i operand(__m256i value) {
    return altered<8>(operands_[static_cast<uint32_t>(which)], value, as_it_is);
  }

  // Of vectors of eight words: the same buffer, another vector.
  uint32_t* address(uint32_t* buffer, uint32_t offset, uint32_t size) {
    for (FaultSource& source : addresses_) {
      if (!source.due()) continue;
      uint32_t vector = offset / kLanes;
      const uint32_t vectors = size / kLanes;
      if (source.alter(&vector, 1, [&](uint32_t, uint32_t wrong) { return wrong % vectors != vector; }))
        return buffer + vector % vectors * kLanes;
    }
    return buffer + offset;
  }

  template <ResultKind kind>
  __m256i lanes(__m256i value) {
    return altered<8>(sources_, value, canonical_form_of(kind));
  }
  // Operands and results of the AVX-512 objects, eight words at a time.
  WideFault wide_fault() {
    return {this,
            [](void* self, Operand which, uint32_t* words) {
              auto& tap = *static_cast<FaultTap*>(self);
              tap.alter(tap.operands_[static_cast<uint32_t>(which)], words, kLanes, as_it_is);
            },
            [](void* self, ResultKind kind, uint32_t* words) {
              auto& tap = *static_cast<FaultTap*>(self);
              tap.alter(tap.sources_, words, kLanes, canonical_form_of(kind));
            }};
  }
  void wide_lanes(__m256i& low, __m256i& high) {
    for (FaultSource& source : sources_) {
      if (!source.due()) continue;
      uint32_t halves[2][kLanes];
      store_lanes(halves[0], low);
      store_lanes(halves[1], high);
      const uint32_t half = source.random() & 1;
      source.alter(halves[half], kLanes, [&](uint32_t k, uint32_t wrong) {
        const uint32_t other = halves[1 - half][k];
        return wide(half, wrong, other) != wide(half, halves[half][k], other);
      });
      low = load_lanes(halves[0]);
      high = load_lanes(halves[1]);
    }
  }
  __m128i block(__m128i value) { return altered<4>(sources_, value, as_it_is); }
  uint64_t scalar(uint64_t value) { return altered<2>(sources_, value, as_it_is); }

 private:
  // The canonical binary64 of which `word` is the high half, or the low one.
  static uint64_t wide(uint32_t high_half, uint32_t word, uint32_t other) {
    const uint64_t shifted = static_cast<uint64_t>(high_half != 0 ? word : other) << 32;
    return canonical64(shifted | (high_half != 0 ? other : word));
  }

  template <uint32_t count, class Vector>
  Vector altered(std::vector<FaultSource>& sources, Vector value, CanonicalForm canonical_form) {
    static_assert(sizeof(Vector) == count * sizeof(uint32_t));
    uint32_t words[count];
    __builtin_memcpy(words, &value, sizeof words);
    alter(sources, words, count, canonical_form);
    __builtin_memcpy(&value, words, sizeof words);
    return value;
  }

  static void alter(std::vector<FaultSource>& sources, uint32_t* words, uint32_t count, CanonicalForm canonical_form) {
    for (FaultSource& source : sources) {
      if (!source.due()) {
        source.remember(words, count);
        continue;
      }
      uint32_t right[kLanes];
      __builtin_memcpy(right, words, count * sizeof *words);
      source.alter(words, count,
                   [&](uint32_t k, uint32_t wrong) { return canonical_form(wrong) != canonical_form(words[k]); });
      source.remember(right, count);
    }
  }

  std::vector<FaultSource> sources_, operands_[3], addresses_;
};

// Vector operations of one execution, so that a fault per execution may hit each alike.
constexpr uint32_t kFma32Operations = kFma32Rounds * kFma32Shape.iterations * kFma32Shape.result_words;
// Each operation of fma16 yields the results of two iterations, eight words each.
constexpr uint32_t kFma16Operations = kFma16Rounds * kFma16Shape.iterations * kFma16Shape.result_words;
uint32_t cpu_bf16_operations() {
  const uint32_t rounds = cpu_features().amx ? kCpuBf16TileRounds : kCpuBf16Rounds;
  return rounds * kCpuBf16Shape.iterations * kCpuBf16Shape.result_words;
}
constexpr uint32_t kFma64ResultsOfIteration = 8;
constexpr uint32_t kFma64Operations = kFma64Rounds * kFma64Shape.iterations * kFma64ResultsOfIteration;
constexpr uint32_t kCpuLibmResults = 3 * kFunctions + 4;  // words of functions, and roots and quotients as they are
constexpr uint32_t kCpuLibmOperations = kCpuLibmRounds * kCpuLibmShape.iterations * kCpuLibmResults;
constexpr uint32_t kCpuRegOperations = kCpuRegRounds * kCpuRegShape.iterations * kCpuRegShape.result_words;
constexpr uint32_t kCpuMemOperations = kCpuMemRounds * kCpuMemShape.iterations * kMemoryReads * kColumn;
constexpr uint32_t kIntAesOperations =
    kIntAesRounds * kIntAesShape.iterations * (kLanes * (2 * kAesBlocks * kAesRounds + kChainSteps) + kChainSteps);

uint32_t operations_of(Family family) {
  switch (family) {
    case Family::kFma32: return kFma32Operations;
    case Family::kFma64: return kFma64Operations;
    case Family::kFma16: return kFma16Operations;
    case Family::kCpuBf16: return cpu_bf16_operations();
    case Family::kCpuMem: return kCpuMemOperations;
    case Family::kCpuReg: return kCpuRegOperations;
    case Family::kCpuLibm: return kCpuLibmOperations;
    case Family::kIntAes: return kIntAesOperations;
    default: return 1;  // no CPU family: nothing executes it
  }
}

// Operands of one kind that are loaded, and addresses, in one execution.
uint32_t loads_of(Family family) {
  switch (family) {
    case Family::kFma32: return kFma32Rounds * kFma32Shape.iterations;
    case Family::kFma64: return kFma64Rounds * kFma64Shape.iterations * 2;
    case Family::kFma16: return kFma16Rounds * kFma16Shape.iterations;
    case Family::kCpuMem: return kCpuMemOperations;
    default: return 1;
  }
}

uint32_t operand_words(Family family) {
  const FamilyShape shape = shape_of(family);
  return shape.iterations * shape.operand_words * kLanes;
}

void disturb_operands(const UnitJob& job) {
  for (FaultSource& source : sources_for(Site::kOperandBuffer, job.family, job.seed, job.sm, 1)) {
    if (source.due()) alter_any(source, job.golden->operands + source.random() % operand_words(job.family), 1);
  }
}

void disturb_placement(const UnitJob& job) {
  for (FaultSource& source : sources_for(Site::kPlacement, job.family, job.seed, job.sm, 1)) {
    if (!source.due()) continue;
    for (uint32_t cpu : allowed_cpus()) {
      if (cpu == job.sm) continue;
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(cpu, &set);
      sched_setaffinity(0, sizeof set, &set);
      return;
    }
  }
}

FaultTap prepare(const UnitJob& job) {
  disturb_operands(job);
  disturb_placement(job);
  const auto sources = [&](Site site, uint32_t operations) {
    return sources_for(site, job.family, job.seed, job.sm, operations);
  };
  const uint32_t loads = loads_of(job.family);
  return FaultTap({sources(Site::kResult, operations_of(job.family)),
                   {sources(Site::kOperandA, loads), sources(Site::kOperandB, loads), sources(Site::kOperandC, loads)},
                   sources(Site::kAddress, loads)});
}

UnitOutcome with_digests_disturbed(const UnitJob& job, UnitOutcome outcome) {
  for (FaultSource& source : sources_for(Site::kDigest, job.family, job.seed, job.sm, 1)) {
    if (source.due()) alter_any(source, outcome.lane_digests, kLanes);
  }
  return outcome;
}

UnitOutcome run_falsified(const UnitJob& job, FaultTap& tap) {
  switch (job.family) {
    case Family::kFma16: return run_fma16_falsified(job, tap.wide_fault());
    case Family::kCpuBf16: return run_cpu_bf16_falsified(job, cpu_features().amx, tap.wide_fault());
    default: return run_unit(job, tap);
  }
}

UnitOutcome unit_falsified(const UnitJob& job) {
  FaultTap tap = prepare(job);
  return with_digests_disturbed(job, run_falsified(job, tap));
}

// What a golden CPU would leave behind: digest and checksum belong to the wrong word.
void golden_falsified(Family family, uint64_t seed, uint32_t cpu, Golden& golden) {
  compute_golden(family, seed, golden);
  const FamilyShape shape = shape_of(family);
  for (FaultSource& source : sources_for(Site::kGolden, family, seed, cpu, 1)) {
    if (!source.due()) continue;
    const uint32_t lane = source.random() % kLanes;
    const uint32_t vector = source.random() % (shape.iterations * shape.result_words);
    alter_any(source, golden.expected + vector * kLanes + lane, 1);
    uint32_t digest = 0;
    for (uint32_t k = 0; k < shape.iterations * shape.result_words; k++)
      digest = fold(digest, golden.expected[k * kLanes + lane]);
    golden.lane_digests[lane] = digest;
    golden.checksum = checksum_of(family, golden);
  }
}

}  // namespace
}  // namespace sentinel::injection

namespace sentinel {
const Backend kBackend = {injection::golden_falsified, injection::unit_falsified};
}  // namespace sentinel
