// Which results of which cores a test build falsifies. Nothing in this folder is part of the release's target.
#pragma once
#include <stdint.h>

#include <math.h>

#include <optional>
#include <string>
#include <vector>

#include "../core/random.h"
#include "effects.h"

namespace sentinel::injection {

enum class Site {
  kResult,         // a result on its way from the instruction to the fold
  kOperandA,       // an operand on its way from memory to the instruction
  kOperandB,
  kOperandC,
  kAddress,        // the address of a load: another word of the buffer is read
  kDigest,         // the digest of a lane, as a faulty fold would leave it
  kGolden,         // an expected word, as a faulty golden CPU would compute it
  kOperandBuffer,  // an operand in memory, after the golden was computed
  kPlacement,      // the thread is moved to another CPU in the middle of the execution
};

// Heat and clock scale or gate the rate; readings as sysfs gives them, taken once per execution. What cannot be read is no
// reason to act.
struct Climate {
  std::string heat_file;       // millidegrees Celsius
  double heat = 0;             // k: the rate is multiplied by exp(k (T - reference)), T in degrees Celsius
  double heat_reference = 60;  // T0
  std::string clock_file;      // kHz
  double clock_above = 0;      // MHz: acts only beyond it
};

// Gilbert-Elliott: executions are good or bad, and the fault acts in bad ones alone. Both are probabilities per execution;
// enter = 0: always bad.
struct Bursts {
  double enter = 0, leave = 1;
};

// Where a fault of GPUs acts; what is not named is any.
struct GpuTarget {
  std::string uuid;  // of a GPU or a MIG instance; empty: any
  std::optional<uint32_t> sm, sub_partition;
};

struct FaultSpec {
  Family family;
  std::vector<uint32_t> cores;   // none where it is a fault of GPUs
  std::optional<GpuTarget> gpu;
  Site site = Site::kResult;
  Effect effect = Effect::kFlip;
  double rate = 0;                         // probability per vector operation; 0 where rate_exec is given
  double rate_exec = 0;                    // probability per execution
  uint32_t mask = 0;                       // bits that the effect touches; 0: one random bit each time
  uint32_t data_mask = 0, data_value = 0;  // only results with (result & data_mask) == data_value
  bool has_lane = false;
  uint32_t lane = 0;   // else any lane; on a GPU the logical one
  Climate climate;
  Bursts bursts;
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
void note_falsified(uint64_t words = 1);

// A fault at work in one execution of a unit.
struct Acting {
  const FaultSpec* spec;
  uint64_t ordinal;  // executions of the unit that went before
  double factor;     // multiplies the rate
};

// Those that act on this execution of a family on the GPU, all its SMs at once. Counts the execution.
std::vector<Acting> acting_on_gpu(Family family, const std::string& uuid);

// One spec at work in one execution: decides, with its own generator, when to act and what to change.
class FaultSource {
 public:
  // `factor` multiplies the rate.
  FaultSource(const FaultSpec& spec, uint64_t probe_seed, uint32_t core, uint64_t ordinal, uint32_t operations,
              double factor);

  // Call once per vector operation, with what it gave: true if the fault acts on this one.
  bool due();
  // Keeps what an operation gave, right or wrong, for an effect that brings it again.
  void remember(const uint32_t* words, uint32_t count);
  // Changes one of the words; shows(k, wrong) says whether that would be seen in word k after canonicalisation. False
  // if nothing that it may change would be (then it stays due, if its rate is per execution).
  template <class Shows>
  bool alter(uint32_t* words, uint32_t count, Shows shows);
  uint32_t random() { return static_cast<uint32_t>(next() >> 32); }

 private:
  uint64_t next();
  uint32_t wrong_word(const uint32_t* words, uint32_t k, uint32_t count);

  const FaultSpec* spec_;
  uint64_t state_;
  uint64_t threshold_ = 0;  // of `next`, per operation
  bool always_ = false;
  bool pending_ = false;  // per execution: an operation is still to be hit
  uint32_t countdown_ = 0;
  uint32_t previous_[kLanes] = {};
};

template <class Shows>
bool FaultSource::alter(uint32_t* words, uint32_t count, Shows shows) {
  const uint32_t first = spec_->has_lane ? spec_->lane % count : random() % count;
  for (uint32_t k = 0; k < (spec_->has_lane ? 1 : count); k++) {
    const uint32_t at = (first + k) % count;
    uint32_t& word = words[at];
    if ((word & spec_->data_mask) != spec_->data_value) continue;
    const uint32_t wrong = wrong_word(words, at, count);
    if (!shows(at, wrong)) continue;
    if (spec_->effect == Effect::kSwap) {
      for (uint32_t other = 0; other < count; other++) {
        if (other != at && words[other] == wrong) {
          words[other] = word;
          break;
        }
      }
    }
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
