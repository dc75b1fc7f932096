#include "session.h"

#include <time.h>

#include <algorithm>

#include "../cpu/pinned_thread.h"

namespace sentinel::cuda {
namespace {

constexpr uint64_t kDeadlineNs = 5'000'000'000;  // a tenant's kernels may come first; the child's deadline is longer
constexpr uint64_t kSpinNs = 400'000;            // a pass on an idle GPU is over by then, and its end is not slept over
constexpr long kNapNs = 20'000;

void nap() {
  const timespec time{0, kNapNs};
  nanosleep(&time, nullptr);
}

}  // namespace

Session::~Session() {
  if (context_ != nullptr) api_.cuCtxDestroy_v2(context_);
}

Error Session::open(int priority) {
  if (const Error error = SENTINEL_CUDA_CALL(api_, cuCtxCreate_v2, &context_, kContextScheduleBlockingSync, device_))
    return error;
  int least = 0, greatest = 0;
  if (const Error error = SENTINEL_CUDA_CALL(api_, cuCtxGetStreamPriorityRange, &least, &greatest)) return error;
  const int clamped = std::min(std::max(priority, greatest), least);
  if (const Error error = SENTINEL_CUDA_CALL(api_, cuStreamCreateWithPriority, &stream_, kStreamNonBlocking, clamped))
    return error;
  if (const Error error = SENTINEL_CUDA_CALL(api_, cuEventCreate, &started_, kEventDefault)) return error;
  return SENTINEL_CUDA_CALL(api_, cuEventCreate, &ended_, kEventDefault);
}

Error Session::finish() const {
  if (const Error error = SENTINEL_CUDA_CALL(api_, cuEventRecord, ended_, stream_)) return error;
  return wait();
}

Error Session::wait() const {
  const uint64_t began_ns = monotonic_ns();
  for (;;) {
    const Error error = SENTINEL_CUDA_CALL(api_, cuEventQuery, ended_);
    const uint64_t waited_ns = monotonic_ns() - began_ns;
    if (error.status != kNotReady || waited_ns > kDeadlineNs) return error;
    if (waited_ns > kSpinNs) nap();
  }
}

}  // namespace sentinel::cuda
