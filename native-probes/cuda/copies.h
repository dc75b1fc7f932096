// What the host adds to family copy: the buffer that goes to the GPU, and the judgement of the one that came back. The
// pattern is a closed form; an SM is accused only where every golden CPU sees what accuses it.
#pragma once
#include "../cpu/execution.h"
#include "copy_pattern.h"

namespace sentinel::cuda {

class Copies {
 public:
  Copies(uint64_t seed, uint32_t regions, const std::vector<uint32_t>& cpus)
      : to_gpu_{seed, kCopyToGpu, regions}, from_gpu_{seed, kCopyFromGpu, regions}, cpus_(cpus) {}

  void fill(uint32_t* sent) const { fill_copy(to_gpu_, sent); }
  // Adds to the verdict on the SM whose region has its number.
  void judge(SmResult& result, const uint32_t* sent, const uint32_t* returned) const;

 private:
  struct Look;
  // On every golden CPU; false where one could not look.
  bool look(const CopyBuffer& buffer, uint32_t region, const uint32_t* words, std::vector<CopyDifference>& out) const;
  void judge_sent(SmResult& result, const uint32_t* sent) const;
  void judge_returned(SmResult& result, const uint32_t* returned) const;

  const CopyBuffer to_gpu_, from_gpu_;
  const std::vector<uint32_t>& cpus_;
};

}  // namespace sentinel::cuda
