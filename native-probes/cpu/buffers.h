// The buffers of an execution, allocated once for the largest family and reused.
#pragma once
#include <pthread.h>
#include <stdlib.h>

#include "golden.h"

namespace sentinel {

constexpr uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }
constexpr uint32_t words_in(FamilyShape shape, uint32_t per_vector) { return shape.iterations * per_vector * kLanes; }

constexpr uint32_t kMostOperands =
    larger(words_in(kFma32Shape, kFma32Shape.operand_words), words_in(kIntAesShape, kIntAesShape.operand_words));
constexpr uint32_t kMostResults =
    larger(words_in(kFma32Shape, kFma32Shape.result_words), words_in(kIntAesShape, kIntAesShape.result_words));

class Buffers {
 public:
  Buffers() {
    for (Golden& golden : goldens_) {
      golden.operands = allocate(kMostOperands);
      golden.expected = allocate(kMostResults);
    }
    results_ = allocate(kMostResults);
  }
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  bool complete() const {
    for (const Golden& golden : goldens_) {
      if (golden.operands == nullptr || golden.expected == nullptr) return false;
    }
    return results_ != nullptr;
  }
  // 0 and 1 for the two golden CPUs, kSpare for known answers.
  Golden& golden(uint32_t which) { return goldens_[which]; }
  uint32_t* results() { return results_; }

  static constexpr uint32_t kSpare = 2;

 private:
  static uint32_t* allocate(uint32_t count) {
    return static_cast<uint32_t*>(aligned_alloc(64, count * sizeof(uint32_t)));
  }

  Golden goldens_[3];
  uint32_t* results_;
};

// The process's one set of buffers, for as long as the lease lives: one execution at a time.
class BufferLease {
 public:
  BufferLease() { pthread_mutex_lock(&mutex()); }
  ~BufferLease() { pthread_mutex_unlock(&mutex()); }
  BufferLease(const BufferLease&) = delete;
  BufferLease& operator=(const BufferLease&) = delete;

  Buffers& get() const {
    static Buffers buffers;
    return buffers;
  }

 private:
  static pthread_mutex_t& mutex() {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    return mutex;
  }
};

}  // namespace sentinel
