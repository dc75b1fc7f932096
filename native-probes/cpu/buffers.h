// The buffers of an execution, allocated once for the largest family and reused.
#pragma once
#include <pthread.h>
#include <stdlib.h>

#include "../core/cpu_mem.h"
#include "features.h"
#include "golden.h"

namespace sentinel {

// Words of the largest buffer that any family needs, of operands or of results.
constexpr uint32_t most_words(uint32_t FamilyShape::* per_vector) {
  uint32_t most = 0;
  for (const FamilyInfo& info : kFamilies) {
    const FamilyShape shape = shape_of(info.family);
    const uint32_t words = shape.iterations * (shape.*per_vector) * kLanes;
    if (words > most) most = words;
  }
  return most;
}

constexpr uint32_t kMostOperands = most_words(&FamilyShape::operand_words);
constexpr uint32_t kMostResults = most_words(&FamilyShape::result_words);

class Buffers {
 public:
  Buffers() {
    for (Golden& golden : goldens_) {
      golden.operands = allocate(kMostOperands);
      golden.expected = allocate(kMostResults);
    }
    results_ = allocate(kMostResults);
    memory_ = allocate(kMemoryWords);
  }
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  bool complete() const {
    for (const Golden& golden : goldens_) {
      if (golden.operands == nullptr || golden.expected == nullptr) return false;
    }
    return results_ != nullptr && memory_ != nullptr;
  }
  // 0 and 1 for the two golden CPUs, kSpare for known answers.
  Golden& golden(uint32_t which) { return goldens_[which]; }
  uint32_t* results() { return results_; }
  uint32_t* memory() { return memory_; }

  static constexpr uint32_t kSpare = 2;

 private:
  static uint32_t* allocate(uint32_t count) {
    return static_cast<uint32_t*>(aligned_alloc(64, count * sizeof(uint32_t)));
  }

  Golden goldens_[3];
  uint32_t *results_, *memory_;
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
