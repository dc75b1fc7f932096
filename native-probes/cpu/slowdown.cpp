#include "slowdown.h"

#include <time.h>

#include <atomic>

#include "pinned_thread.h"
#include "workers.h"

namespace sentinel {
namespace {

constexpr uint64_t kMillisecond = 1000000;
constexpr uint64_t kPatienceNs = 5000 * kMillisecond;  // more than a new thread waits on a busy CPU
constexpr uint32_t kStepRounds = 2000;                 // some microseconds: less than any probe takes

void sleep_ns(uint64_t ns) {
  const timespec time{static_cast<time_t>(ns / (1000 * kMillisecond)), static_cast<long>(ns % (1000 * kMillisecond))};
  nanosleep(&time, nullptr);
}

class Tenant {
 public:
  explicit Tenant(uint32_t cpu) { thread_.start(cpu, work, this); }
  ~Tenant() { end(); }

  // False if it did not get to work.
  bool works() const {
    const uint64_t until_ns = monotonic_ns() + kPatienceNs;
    while (steps_.load() == 0 && !thread_.ended() && monotonic_ns() < until_ns) sleep_ns(kMillisecond);
    return steps_.load() != 0;
  }

  Progress progress() const { return {monotonic_ns(), steps_.load()}; }

  // True if it stayed on its CPU.
  bool end() {
    stop_.store(true);
    return thread_.join() == Placement::kStayed;
  }

  std::string problem() const {
    if (thread_.placement() != Placement::kStayed) return not_run_reason(thread_);
    return "the tenant got no time on logical CPU " + std::to_string(thread_.cpu());
  }

 private:
  static void work(void* self) {
    auto* tenant = static_cast<Tenant*>(self);
    uint64_t state = 1;
    while (!tenant->stop_.load(std::memory_order_relaxed)) {
      for (uint32_t k = 0; k < kStepRounds; k++) state = state * 6364136223846793005u + (state >> 29);
      tenant->result_ = state;
      tenant->steps_.fetch_add(1);
    }
  }

  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> steps_{0};
  volatile uint64_t result_ = 0;  // keeps the loop from being left out
  PinnedThread thread_;
};

Progress since(const Progress& before, const Progress& now) { return {now.ns - before.ns, now.steps - before.steps}; }

void take_up(const Report& report, uint32_t cpu, SlowdownRound& round) {
  for (const SmResult& result : report.results) {
    if (result.result == Result::kPass || result.result == Result::kFail) round.executed++;
  }
  for (const CpuCharge& charge : report.charges) {
    if (charge.cpu == cpu) round.charged_ns += charge.ns;
  }
}

SlowdownRound run_round(const Tenant& tenant, const SlowdownRequest& request, Request& next) {
  SlowdownRound round;
  const Progress began = tenant.progress();
  for (uint32_t k = 0; k < request.executions; k++, next.index++) {
    take_up(execute(next), next.sms[0], round);
    sleep_ns(request.gap_ms * kMillisecond);
  }
  const Progress ended = tenant.progress();
  round.probed = since(began, ended);
  sleep_ns(round.probed.ns);
  round.alone = since(ended, tenant.progress());
  return round;
}

}  // namespace

SlowdownReport measure_slowdown(const SlowdownRequest& request) {
  SlowdownReport report;
  Request next = request.execution;
  const uint64_t until_ns = monotonic_ns() + request.limit_ms * kMillisecond;
  Tenant tenant(next.sms[0]);
  const bool works = tenant.works();
  while (works && report.rounds.size() < request.rounds && monotonic_ns() < until_ns) {
    report.rounds.push_back(run_round(tenant, request, next));
  }
  if (tenant.end() && works) return report;
  return {tenant.problem(), {}};
}

}  // namespace sentinel
