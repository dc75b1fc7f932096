// Which results of which cores a test build falsifies. Nothing in this folder is part of the release's target.
#pragma once
#include <stdint.h>

#include <vector>

#include "../core/random.h"

namespace sentinel::injection {

enum class Site {
  kResult,         // a result on its way from the instruction to the fold
  kDigest,         // the digest of a lane, as a faulty fold would leave it
  kGolden,         // an expected word, as a faulty golden CPU would compute it
  kOperandBuffer,  // an operand in memory, after the golden was computed
  kPlacement,      // the thread is moved to another CPU in the middle of the execution
};
enum class Effect { kFlip, kStuck0, kStuck1, kXor };

struct FaultSpec {
  Family family;
  std::vector<uint32_t> cores;
  Site site = Site::kResult;
  Effect effect = Effect::kFlip;
  double rate = 0;                         // probability per vector operation; 0 where rate_exec is given
  double rate_exec = 0;                    // probability per execution
  uint32_t mask = 0;                       // bits that the effect touches; 0: one random bit each time
  uint32_t data_mask = 0, data_value = 0;  // only results with (result & data_mask) == data_value
  bool has_lane = false;
  uint32_t lane = 0;   // else any lane
  uint32_t onset = 0;  // executions of the family that a core computes rightly first
  uint32_t seed = 1;   // of the generator that decides all of the above
  bool same = false;   // all cores falsify alike, so their wrong digests are equal
};

constexpr uint32_t kMostFaults = 16;

// False if the plan is full.
bool add_to_plan(FaultSpec spec);
void clear_plan();

// What all faults did since the addon was loaded.
struct Falsified {
  uint64_t count = 0;     // words changed
  uint64_t first_us = 0;  // wall clock of the first, microseconds since the Unix epoch; 0 = none yet
};
Falsified falsified();
void note_falsified();

// One spec at work in one execution: decides, with its own generator, when to act and what to change.
class FaultSource {
 public:
  FaultSource(const FaultSpec& spec, uint64_t probe_seed, uint32_t core, uint64_t ordinal, uint32_t operations);

  // Call once per vector operation: true if the fault acts on this one.
  bool due();
  // Changes one of the words; shows(k, wrong) says whether that would be seen in word k after canonicalisation. False
  // if nothing that it may change would be (then it stays due, if its rate is per execution).
  template <class Shows>
  bool alter(uint32_t* words, uint32_t count, Shows shows);
  uint32_t random() { return static_cast<uint32_t>(next() >> 32); }

 private:
  uint64_t next();
  uint32_t changed(uint32_t word);
  uint32_t random_pattern(uint32_t word);

  const FaultSpec* spec_;
  uint64_t state_;
  uint64_t threshold_ = 0;  // of `next`, per operation
  bool always_ = false;
  bool pending_ = false;  // per execution: an operation is still to be hit
  uint32_t countdown_ = 0;
};

template <class Shows>
bool FaultSource::alter(uint32_t* words, uint32_t count, Shows shows) {
  const uint32_t first = spec_->has_lane ? spec_->lane % count : random() % count;
  for (uint32_t k = 0; k < (spec_->has_lane ? 1 : count); k++) {
    uint32_t& word = words[(first + k) % count];
    if ((word & spec_->data_mask) != spec_->data_value) continue;
    const uint32_t wrong = changed(word);
    if (!shows((first + k) % count, wrong)) continue;
    word = wrong;
    pending_ = false;
    note_falsified();
    return true;
  }
  return false;
}

// The sources of a site that act on this execution (after onset). Counts the execution for Site::kResult and
// Site::kGolden.
std::vector<FaultSource> sources_for(Site site, Family family, uint64_t probe_seed, uint32_t core, uint32_t operations);

}  // namespace sentinel::injection
