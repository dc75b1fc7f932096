// What a fault makes of a word that an instruction gave: for the CPU's taps and for the kernels of a GPU.
#pragma once
#include "../core/float32.h"

namespace sentinel::injection {

enum class Effect : uint32_t {
  kFlip,
  kStuck0,
  kStuck1,
  kXor,    // a random pattern of the published distribution
  kUlp,    // the neighbouring value: one more or one less in the last place
  kSwap,   // two lanes exchange their words (CPUs only)
  kStale,  // what the operation before gave comes again (CPUs only)
};

// Published fault statistics: two in five corruptions are of a single bit, hardly one in a hundred yields a NaN or
// infinity. Random: uint32_t operator()().
template <class Random>
SENTINEL_CORE uint32_t random_pattern(uint32_t word, Random& random) {
  for (;;) {
    const uint32_t pattern = random() % 5 < 2 ? 1u << (random() & 31) : random() | 1u << (random() & 31);
    const bool not_finite = ((word ^ pattern) & kInfinity) == kInfinity;
    if (!not_finite || random() % 100 == 0) return pattern;
  }
}

// Greater in magnitude or smaller, as asked, where there is such a number: none is smaller than zero, nor greater than infinity.
SENTINEL_CORE uint32_t neighbour(uint32_t word, bool greater) {
  const uint32_t magnitude = word & ~kSign;
  return magnitude == 0 || (greater && magnitude != kInfinity) ? word + 1 : word - 1;
}

// mask: bits that the effect touches; 0: one random bit. Effects that need other words than this one leave it as it is.
template <class Random>
SENTINEL_CORE uint32_t changed_word(Effect effect, uint32_t mask, uint32_t word, Random& random) {
  const uint32_t bits = mask != 0 ? mask : 1u << (random() & 31);
  switch (effect) {
    case Effect::kFlip: return word ^ bits;
    case Effect::kStuck0: return word & ~bits;
    case Effect::kStuck1: return word | bits;
    case Effect::kXor: return word ^ random_pattern(word, random);
    case Effect::kUlp: return neighbour(word, (random() & 1) != 0);
    default: return word;
  }
}

}  // namespace sentinel::injection
