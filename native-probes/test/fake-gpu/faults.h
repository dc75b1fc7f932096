// What goes wrong, and when. A `fault` entry of fake-gpu.conf has a kind, the fields of that kind, and a window of
// occasions, counted from 1: from=1 to=(for ever). An occasion is a call, a launch or a copy that the fault's filters let
// through. Filters: device (ordinal), kernel (name of a function), after (a driver function: nothing counts before its
// first call; after=cuGraphLaunch spares what the addon does to open a device).
//
//   kind       does                                                           fields
//   call       a driver function fails, hangs or ends the process             call; error, sticky | hang=1 | abort=1
//   hang       a launched kernel never ends
//   stale      a kernel does not run, or what it wrote to a buffer is lost    buffer (n-th allocation still there)
//   arguments  a kernel's argument arrives shifted                            shift (bytes, default 8)
//   absent     an SM gets no block                                            sm
//   smid       %smid says another SM, from the n-th time a block asks         sm, says, reads (n, default 1)
//   claim      compare-and-swap finds what it wants, and swaps nothing
//   wrong      results of an SM are wrong                                     sm, warp, subpartition, lane (of 32), unit,
//                                                                             xor, every (each n-th result, default 1)
//   copy       a bit flips in a copy                                          direction (d2h, h2d, peer), buffer, byte, bit
//   memory     a bit of a word of memory sticks                               buffer, byte, bit, stuck (0, 1)
//   shared     a bit of a word of an SM's shared memory sticks                sm, byte, bit, stuck
//
// SMs are named by their %smid.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "config.h"

namespace sentinel::fake {

class Fault {
 public:
  explicit Fault(const Entry& entry);

  const std::string& kind() const { return kind_; }
  const Entry& fields() const { return entry_; }
  // A driver function is called.
  void see_call(const std::string& function);
  // Counts an occasion and says whether it lies in the window.
  bool occurs();
  bool concerns_device(uint32_t ordinal) const;
  bool concerns_kernel(const std::string& name) const;
  // True where the entry does not name a number of this key, or names this one.
  bool matches(const char* key, uint32_t value) const;

 private:
  Entry entry_;
  std::string kind_;
  bool armed_;
  uint64_t from_, to_, occasions_ = 0;
};

std::vector<Fault> faults_of(const Config& config);

// The functional units whose results a `wrong` fault can change.
enum class Unit : uint32_t { kF32, kF64, kF16, kBf16, kSfu, kTensor, kInteger, kShuffle, kShared, kMemory, kCount };

Unit unit_named(const std::string& name);

}  // namespace sentinel::fake
