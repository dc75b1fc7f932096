#include "fault_plan.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <atomic>
#include <map>
#include <tuple>

#include "../cpu/buffers.h"

namespace sentinel::injection {
namespace {

// What a spec remembers of a core between executions.
struct History {
  uint64_t executions = 0;
  bool bad = false;  // Gilbert-Elliott
};

struct State {
  std::vector<FaultSpec> plan;
  std::map<std::tuple<size_t, uint32_t>, History> history;  // by (spec, core)
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;  // golden threads run two at a time
};

State& state() {
  static State state;
  return state;
}

std::atomic<uint64_t> words_changed{0};
std::atomic<uint64_t> first_change_us{0};

uint64_t wall_us() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

constexpr uint32_t kWholeGpu = 0;  // in place of a core: a process has one GPU at most

bool addresses(const FaultSpec& spec, Site site, Family family, uint32_t core) {
  if (spec.site != site || spec.family != family) return false;
  for (uint32_t listed : spec.cores) {
    if (listed == core) return true;
  }
  return false;
}

uint64_t threshold_of(double probability) { return static_cast<uint64_t>(probability * 18446744073709551616.0); }

bool happens(double probability, uint64_t random) { return probability >= 1 || random < threshold_of(probability); }

bool read_number(const std::string& file, double& out) {
  FILE* stream = fopen(file.c_str(), "re");
  if (stream == nullptr) return false;
  const bool read = fscanf(stream, "%lf", &out) == 1;
  fclose(stream);
  return read;
}

// What multiplies the rate; 0 = the fault does not act now.
double factor_of(const Climate& climate) {
  double reading = 0;
  if (!climate.clock_file.empty() &&
      !(read_number(climate.clock_file, reading) && reading / 1000 > climate.clock_above))
    return 0;
  if (climate.heat_file.empty()) return 1;
  return read_number(climate.heat_file, reading) ? exp(climate.heat * (reading / 1000 - climate.heat_reference)) : 0;
}

bool is_bad(const FaultSpec& spec, History& history, uint32_t core) {
  if (spec.bursts.enter <= 0) return true;
  const uint64_t random = mix64(mix64(spec.seed * kGolden64 ^ core) + history.executions * kGolden64);
  if (happens(history.bad ? spec.bursts.leave : spec.bursts.enter, random)) history.bad = !history.bad;
  return history.bad;
}

// Counts an execution of a unit for every fault that concerns it; returns those that act.
template <class Concerned>
std::vector<Acting> next_execution(uint32_t unit, Concerned concerned) {
  State& all = state();
  std::vector<Acting> out;
  pthread_mutex_lock(&all.mutex);
  for (size_t k = 0; k < all.plan.size(); k++) {
    const FaultSpec& spec = all.plan[k];
    if (!concerned(spec)) continue;
    History& history = all.history[{k, unit}];
    const bool bad = is_bad(spec, history, unit);
    const uint64_t ordinal = history.executions++;
    const double factor = ordinal >= spec.onset && bad ? factor_of(spec.climate) : 0;
    if (factor > 0) out.push_back({&spec, ordinal, factor});
  }
  pthread_mutex_unlock(&all.mutex);
  return out;
}

}  // namespace

bool add_to_plan(FaultSpec spec) {
  const BufferLease no_execution_runs;
  if (state().plan.size() == kMostFaults) return false;
  state().plan.push_back(std::move(spec));
  return true;
}

void clear_plan() {
  const BufferLease no_execution_runs;
  state().plan.clear();
  state().history.clear();
}

Falsified falsified() { return {words_changed.load(), first_change_us.load()}; }

void note_falsified(uint64_t words) {
  if (words > 0 && words_changed.fetch_add(words, std::memory_order_relaxed) == 0) first_change_us.store(wall_us());
}

std::vector<FaultSource> sources_for(Site site, Family family, uint64_t probe_seed, uint32_t core,
                                     uint32_t operations) {
  const auto concerned = [&](const FaultSpec& spec) { return addresses(spec, site, family, core); };
  std::vector<FaultSource> sources;
  for (const Acting& acting : next_execution(core, concerned))
    sources.emplace_back(*acting.spec, probe_seed, core, acting.ordinal, operations, acting.factor);
  return sources;
}

std::vector<Acting> acting_on_gpu(Family family, const std::string& uuid) {
  return next_execution(kWholeGpu, [&](const FaultSpec& spec) {
    return spec.gpu && spec.family == family && (spec.gpu->uuid.empty() || spec.gpu->uuid == uuid);
  });
}

FaultSource::FaultSource(const FaultSpec& spec, uint64_t probe_seed, uint32_t core, uint64_t ordinal,
                         uint32_t operations, double factor)
    : spec_(&spec), state_(mix64(spec.seed * kGolden64 ^ probe_seed)) {
  if (!spec.same) state_ = mix64(state_ ^ mix64(uint64_t{core} << 40 ^ ordinal));
  if (spec.rate_exec > 0) {
    pending_ = happens(spec.rate_exec * factor, next());
    countdown_ = random() % operations;
  } else {
    always_ = spec.rate * factor >= 1;
    threshold_ = always_ ? 0 : threshold_of(spec.rate * factor);
  }
}

bool FaultSource::due() {
  if (always_) return true;
  if (spec_->rate_exec <= 0) return next() < threshold_;
  if (!pending_) return false;
  if (countdown_ == 0) return true;
  countdown_--;
  return false;
}

void FaultSource::remember(const uint32_t* words, uint32_t count) {
  if (spec_->effect == Effect::kStale) memcpy(previous_, words, count * sizeof *words);
}

uint32_t FaultSource::wrong_word(const uint32_t* words, uint32_t k, uint32_t count) {
  if (spec_->effect == Effect::kStale) return previous_[k];
  if (spec_->effect == Effect::kSwap) return words[(k + 1 + random() % (count > 1 ? count - 1 : 1)) % count];
  const auto drawn = [this] { return random(); };
  return changed_word(spec_->effect, spec_->mask, words[k], drawn);
}

uint64_t FaultSource::next() { return mix64(state_ += kGolden64); }

}  // namespace sentinel::injection
