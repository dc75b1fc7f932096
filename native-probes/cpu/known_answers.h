// The release's committed known answers. Their digests come from tests/interop/recompute_mismatch.py, not from this
// code.
#pragma once
#include "execution.h"
#include "pinned_thread.h"

namespace sentinel {

struct KnownAnswer {
  uint32_t epoch, index, digest;
};

struct KnownAnswerList {
  const KnownAnswer* first;
  uint32_t count;
  const KnownAnswer* begin() const { return first; }
  const KnownAnswer* end() const { return first + count; }
};

enum class KnownBackend { kCpu, kGpu };

struct KnownAnswerTable {
  KnownBackend backend;
  Family family;
  KnownAnswerList answers;
};

// Empty if there are none.
KnownAnswerList known_answers(KnownBackend backend, Family family);

// Whether the golden code alone reproduces a family's answers on a CPU. kNotRun, and never kFail, when it could not
// stay there. Adds the CPU time used.
Result golden_known_answers(Family family, uint32_t cpu, Golden& buffer, uint64_t& cpu_ns);

}  // namespace sentinel
