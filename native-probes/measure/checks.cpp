#include "checks.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "../cpu/features.h"
#include "../cpu/pinned_thread.h"
#include "../cuda/inventory.h"
#include "../cuda/known_answers.h"
#include "../cuda/sfu_bounds.h"
#include "json_line.h"

namespace sentinel::measure {
namespace {

// Goals of docs/goals.json for coverage and overhead on a GPU.
constexpr double kCoverageIdlePct = 99.9, kCoverageTenantPct = 99;
constexpr double kChargedPct = 0.5, kSlowdownPct = 1, kP99Pct = 3, kChargeErrorPoints = 0.3;

// Shares of the time.
constexpr double kDigestShare = 0.6, kIdleShare = 0.1, kCrowdedShare = 0.1, kOverheadShare = 0.2;
constexpr uint32_t kRounds = 10;  // of four windows: without, with, with, without probes, so that a drift cancels
constexpr Family kSweepFamily = Family::kFma32;
constexpr Family kTenantFamilies[] = {Family::kTcFp16, Family::kFma32};

void sleep_us(double us) {
  const timespec time{static_cast<time_t>(us / 1e6), static_cast<long>(us * 1e3) % 1'000'000'000};
  nanosleep(&time, nullptr);
}

class Until {
 public:
  explicit Until(double seconds) : end_ns_(monotonic_ns() + static_cast<uint64_t>(seconds * 1e9)) {}
  bool passed() const { return monotonic_ns() >= end_ns_; }

 private:
  uint64_t end_ns_;
};

std::vector<uint32_t> golden_cpus() {
  std::vector<uint32_t> cpus = allowed_cpus();
  cpus.resize(std::min<size_t>(cpus.size(), 2));
  return cpus;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// Of the mean.
double standard_error_of(const std::vector<double>& values) {
  const double mean = mean_of(values), count = static_cast<double>(values.size());
  double squares = 0;
  for (double value : values) squares += (value - mean) * (value - mean);
  return count < 2 ? 0 : std::sqrt(squares / (count - 1) / count);
}

double p99_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() * 99 / 100];
}

double percent_more(double than, double value) { return than > 0 ? (value / than - 1) * 100 : 0; }

std::string today() {
  const time_t now = time(nullptr);
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
  return text;
}

struct Sweeps {
  uint32_t all = 0, complete = 0, relaunches = 0, wrong = 0;
  double charged_us = 0, during_us = 0;

  double coverage_pct() const { return all == 0 ? 0 : 100.0 * complete / all; }
};

class Measurement {
 public:
  Measurement(const Setup& setup, cuda::Gpu& gpu) : setup_(setup), gpu_(gpu) {}

  bool run() {
    goal("digests", available_families() > 0);
    for (const cuda::GpuFamily& family : gpu_.families()) {
      if (!is_wanted(family)) continue;
      known_answers(family);
      digests(family);
    }
    coverage_idle();
    beside_tenant();
    JsonLine("summary").flag("met", missed_.empty()).list("missed", missed_).print();
    return missed_.empty();
  }

 private:
  bool goal(const char* name, bool met) {
    if (!met) missed_.push_back(name);
    return met;
  }

  cuda::GpuReport execute(Family family) {
    return cuda::execute_on(gpu_, {family, 0, index_++, gpu_.sms(), golden_cpus()});
  }

  bool is_wanted(const cuda::GpuFamily& family) const {
    return setup_.family.empty() || setup_.family == family.info->name;
  }

  size_t available_families() const {
    return static_cast<size_t>(
        std::count_if(gpu_.families().begin(), gpu_.families().end(),
                      [this](const cuda::GpuFamily& family) { return is_wanted(family) && family.missing.empty(); }));
  }

  void known_answers(const cuda::GpuFamily& family) {
    const std::vector<cuda::GpuKnownAnswerReport> answers = cuda::run_gpu_known_answers(gpu_, family);
    if (answers.empty()) return;
    const auto passed = std::count_if(answers.begin(), answers.end(), [](const cuda::GpuKnownAnswerReport& answer) {
      return answer.report.result == Result::kPass;
    });
    JsonLine("known_answers")
        .text("family", family.info->name)
        .number("sms", answers.size())
        .number("passed", static_cast<double>(passed))
        .flag("met", goal("known_answers", static_cast<size_t>(passed) == answers.size()))
        .print();
  }

  // The digest of every SM against the host's, or for sfu against the majority's, over fresh seeds.
  void digests(const cuda::GpuFamily& family) {
    if (!family.missing.empty()) {
      JsonLine("digests").text("family", family.info->name).text("not_available", family.missing).print();
      return;
    }
    const Until until(setup_.seconds * kDigestShare / static_cast<double>(available_families()));
    uint32_t seeds = 0;
    std::map<std::string, uint32_t> results;
    std::string first_reason;
    std::vector<double> device_us, charged_us;
    SfuErrors sfu;
    for (; seeds < setup_.seeds && !until.passed(); seeds++) {
      const cuda::GpuReport report = execute(family.info->family);
      device_us.push_back(report.device_us);
      charged_us.push_back(report.charged_us);
      if (family.info->family == Family::kSfu) note_sfu_errors(sfu);
      for (const SmResult& result : report.report.results) {
        results[name_of(result.result)]++;
        if (result.result != Result::kPass && first_reason.empty()) first_reason = describe(result);
      }
    }
    JsonLine line("digests");
    line.text("family", family.info->name).number("seeds", seeds).number("sms", gpu_.sms().size());
    for (const auto& [name, count] : results) line.number(name.c_str(), count);
    line.number("device_us_mean", mean_of(device_us)).number("charged_us_mean", mean_of(charged_us));
    line.text("first_not_passed", first_reason);
    line.flag("met", goal("digests", results.size() == 1 && results.count("PASS") == 1)).print();
    if (family.info->family == Family::kSfu) print_sfu_errors(sfu);
  }

  // Of the sample of the execution that has just ended.
  void note_sfu_errors(SfuErrors& all) const {
    const uint64_t seed = seed_of(Family::kSfu, 0, index_ - 1);
    const SfuSample sample = sfu_sample(seed);
    const SfuErrors errors = sfu_errors(seed, sample.group, sample.block, gpu_.memory().results());
    all.violations += errors.violations;
    for (uint32_t w = 0; w < kSfuResultWords; w++) all.greatest[w] = std::max(all.greatest[w], errors.greatest[w]);
  }

  static void print_sfu_errors(const SfuErrors& all) {
    JsonLine line("sfu_errors");
    for (uint32_t w = 0; w < kSfuResultWords; w++) line.number(kSfuNames[w], all.greatest[w]);
    line.number("outside", all.violations).print();
  }

  static std::string describe(const SmResult& result) {
    std::string out = "SM " + std::to_string(result.sm) + ": " + name_of(result.result) + " " + result.reason;
    if (!result.has_mismatch) return out;
    const Mismatch& m = result.mismatch;
    return out + " lane " + std::to_string(m.lane) + " iteration " + std::to_string(m.iteration) + " within " +
           std::to_string(m.gpu.within_iterations) + " warp " + std::to_string(m.gpu.warp);
  }

  void sweep(Sweeps& out) {
    const cuda::GpuReport report = execute(kSweepFamily);
    out.all++;
    out.relaunches += report.launches > 0 ? report.launches - 1 : 0;
    out.charged_us += report.charged_us;
    last_charged_us_ = report.charged_us;
    bool complete = true;
    for (const SmResult& result : report.report.results) {
      complete = complete && (result.result == Result::kPass || result.result == Result::kFail);
      out.wrong += result.result == Result::kFail ? 1 : 0;
    }
    out.complete += complete ? 1 : 0;
  }

  void print_coverage(const char* check, const Sweeps& sweeps, double goal_pct) {
    JsonLine(check)
        .number("sweeps", sweeps.all)
        .number("reached_every_sm_pct", sweeps.coverage_pct())
        .number("relaunches", sweeps.relaunches)
        .number("wrong", sweeps.wrong)
        .number("goal_pct", goal_pct)
        .flag("met", goal(check, sweeps.coverage_pct() >= goal_pct && sweeps.wrong == 0))
        .print();
  }

  void coverage_idle() {
    Sweeps sweeps;
    for (const Until until(setup_.seconds * kIdleShare); !until.passed();) sweep(sweeps);
    print_coverage("coverage_idle", sweeps, kCoverageIdlePct);
  }

  Family tenant_family() const {
    for (Family family : kTenantFamilies) {
      if (gpu_.family(family)->missing.empty()) return family;
    }
    return kSweepFamily;
  }

  void beside_tenant() {
    Tenant tenant;
    const uint32_t slots = gpu_.memory().layout().slots;
    const bool started = setup_.tenant.empty()
                             ? tenant.start(setup_.program, gpu_.device().uuid, tenant_family(), slots)
                             : tenant.start({"/bin/sh", "-c", setup_.tenant});
    if (!goal("tenant", started)) {
      JsonLine("tenant").text("error", "the second process did not begin").print();
      return;
    }
    Sweeps sweeps;
    for (const Until until(setup_.seconds * kCrowdedShare); !until.passed();) sweep(sweeps);
    print_coverage("coverage_beside_tenant", sweeps, kCoverageTenantPct);
    overhead(tenant);
  }

  // A window in which the tenant is alone, or has as many probes beside it as the budget allows. Its steps' times, in us.
  std::vector<double> window(Tenant& tenant, double seconds, bool probes, Sweeps& sweeps) {
    const uint64_t began_ns = monotonic_ns();
    for (const Until until(seconds); !until.passed();) {
      if (!probes) {
        sleep_us(1000);
        continue;
      }
      sweep(sweeps);
      sleep_us(std::min(last_charged_us_ * 100 / kChargedPct, seconds * 1e6));
    }
    if (probes) sweeps.during_us += static_cast<double>(monotonic_ns() - began_ns) / 1000;  // ends with a pause
    std::vector<double> out;
    for (const Step& step : tenant.steps()) out.push_back(step.us);
    return out;
  }

  void overhead(Tenant& tenant) {
    const double window_s = setup_.seconds * kOverheadShare / (4 * kRounds);
    std::vector<double> alone, shared, slowdowns;
    Sweeps sweeps;
    tenant.steps();
    for (uint32_t round = 0; round < kRounds; round++) {
      std::vector<double> of_round[2];
      for (const bool probes : {false, true, true, false}) {
        const std::vector<double> steps = window(tenant, window_s, probes, sweeps);
        of_round[probes].insert(of_round[probes].end(), steps.begin(), steps.end());
      }
      slowdowns.push_back(percent_more(mean_of(of_round[0]), mean_of(of_round[1])));
      alone.insert(alone.end(), of_round[0].begin(), of_round[0].end());
      shared.insert(shared.end(), of_round[1].begin(), of_round[1].end());
    }
    print_overhead(alone, shared, slowdowns, sweeps.charged_us / sweeps.during_us * 100);
  }

  void print_overhead(const std::vector<double>& alone, const std::vector<double>& shared,
                      const std::vector<double>& slowdowns, double charged_pct) {
    const double slowdown_pct = mean_of(slowdowns);
    const double p99_pct = percent_more(p99_of(alone), p99_of(shared));
    const double error = std::abs(charged_pct - slowdown_pct);
    const bool met = !alone.empty() && !shared.empty() && slowdown_pct <= kSlowdownPct && p99_pct <= kP99Pct &&
                     error <= kChargeErrorPoints;
    JsonLine("overhead")
        .text("tenant", setup_.tenant.empty() ? cuda::gpu_family_name(tenant_family()) : setup_.tenant)
        .number("steps_alone", alone.size())
        .number("steps_with_probes", shared.size())
        .number("step_us_alone", mean_of(alone))
        .number("charged_pct", charged_pct)
        .number("measured_slowdown_pct", slowdown_pct)
        .number("measured_standard_error_points", standard_error_of(slowdowns))
        .number("p99_step_pct", p99_pct)
        .number("charged_less_measured_points", charged_pct - slowdown_pct)
        .flag("met", goal("overhead", met))
        .print();
  }

  const Setup& setup_;
  cuda::Gpu& gpu_;
  uint32_t index_ = 0;
  double last_charged_us_ = 0;
  std::vector<std::string> missed_;
};

void print_device(const cuda::Gpu& gpu, const std::string& driver) {
  const cuda::GpuDevice& device = gpu.device();
  int cuda_version = 0;
  gpu.session().api().cuDriverGetVersion(&cuda_version);
  JsonLine("device")
      .text("date", today())
      .text("uuid", device.uuid)
      .text("name", device.name)
      .text("kernels", device.architecture)
      .text("driver", driver)
      .number("cuda", cuda_version)
      .text("variant", gpu.variant() == cuda::Variant::kFull ? "full" : "small")
      .number("sms", gpu.sms().size())
      .number("slots", gpu.memory().layout().slots)
      .number("arena_bytes", static_cast<double>(gpu.memory().bytes()))
      .number("switch_us", gpu.switch_cost().us)
      .flag("switch_measured", gpu.switch_cost().measured)
      .print();
}

}  // namespace

bool measure(const Setup& setup) {
  const cuda::Census census = cuda::take_full_census();
  cuda::OpenRequest request;
  request.uuid = setup.uuid;
  if (request.uuid.empty() && !census.devices.empty()) request.uuid = census.devices[0].uuid;
  std::string why = census.missing;
  const std::unique_ptr<cuda::Gpu> gpu = why.empty() ? cuda::Gpu::open(request, why) : nullptr;
  if (gpu == nullptr) {
    JsonLine("summary").flag("met", false).text("error", why.empty() ? "no GPU here" : why).print();
    return false;
  }
  const auto seen = std::find_if(census.devices.begin(), census.devices.end(),
                                 [&](const cuda::GpuDevice& device) { return device.uuid == gpu->device().uuid; });
  print_device(*gpu, seen == census.devices.end() ? "" : seen->driver_version);
  return Measurement(setup, *gpu).run();
}

}  // namespace sentinel::measure
