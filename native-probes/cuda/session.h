// A context on one device with a low-priority stream. The calls return what the driver said.
#pragma once
#include "driver.h"

namespace sentinel::cuda {

class Session {
 public:
  Session(const Driver& api, CUdevice device) : api_(api), device_(device) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // `priority` is clamped to what the device offers; larger numbers are lower priorities.
  Error open(int priority);
  // Makes the context that of the calling thread.
  Error enter() const { return SENTINEL_CUDA_CALL(api_, cuCtxSetCurrent, context_); }

  // Marks the end of what the stream was given, and waits for it. kNotReady when it did not end in time.
  Error finish() const;
  // For the end that was marked.
  Error wait() const;

  const Driver& api() const { return api_; }
  CUdevice device() const { return device_; }
  CUstream stream() const { return stream_; }
  CUevent started() const { return started_; }
  CUevent ended() const { return ended_; }
  CUcontext context() const { return context_; }

 private:
  const Driver& api_;
  CUdevice device_;
  CUcontext context_ = nullptr;
  CUstream stream_ = nullptr;
  CUevent started_ = nullptr, ended_ = nullptr;
};

}  // namespace sentinel::cuda
