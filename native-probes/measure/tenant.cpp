#include "tenant.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cpu/pinned_thread.h"
#include "../cuda/loop.h"

namespace sentinel::measure {
namespace {

constexpr uint32_t kLaunchesPerStep = 50;
constexpr int kFirstStepMs = 60'000;

const cuda::GpuDevice* find(const cuda::Census& census, const std::string& uuid) {
  for (const cuda::GpuDevice& device : census.devices) {
    if (device.uuid == uuid) return &device;
  }
  return nullptr;
}

}  // namespace

int run_tenant(const std::string& uuid, Family family, uint32_t slots) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const cuda::Census census = cuda::take_census();
  const cuda::GpuDevice* device = find(census, uuid);
  std::string missing;
  const cuda::Driver* api = cuda::driver(missing);
  if (device == nullptr || api == nullptr) return 1;
  cuda::Loop loop(*api, *device);
  if (loop.open(family, slots)) return 1;
  for (;;) {
    double us = 0;
    if (loop.begin(kLaunchesPerStep) || loop.end(us)) return 1;
    printf("%" PRIu64 " %.3f\n", monotonic_ns(), us);
    fflush(stdout);
  }
}

Tenant::~Tenant() {
  if (process_ > 0) {
    kill(-process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  if (output_ >= 0) close(output_);
}

bool Tenant::start(const char* program, const std::string& uuid, Family family, uint32_t slots) {
  return start({program, kAsTenant, uuid, std::to_string(static_cast<uint32_t>(family)), std::to_string(slots)});
}

bool Tenant::start(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  process_ = fork();
  if (process_ == 0) {
    setpgid(0, 0);  // what a shell starts is to end with it
    dup2(ends[1], STDOUT_FILENO);
    execv(arguments[0], arguments.data());
    _exit(1);
  }
  close(ends[1]);
  output_ = ends[0];
  fcntl(output_, F_SETFL, O_NONBLOCK);
  pollfd first{output_, POLLIN, 0};
  return process_ > 0 && poll(&first, 1, kFirstStepMs) == 1 && !steps().empty();
}

std::vector<Step> Tenant::steps() {
  char buffer[1 << 16];
  for (ssize_t got = read(output_, buffer, sizeof buffer); got > 0; got = read(output_, buffer, sizeof buffer)) {
    rest_.append(buffer, static_cast<size_t>(got));
  }
  std::vector<Step> out;
  for (size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
    Step step{};
    if (sscanf(rest_.c_str(), "%" SCNu64 " %lf", &step.ended_ns, &step.us) == 2) out.push_back(step);
    rest_.erase(0, end + 1);
  }
  return out;
}

}  // namespace sentinel::measure
