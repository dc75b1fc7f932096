// What is measured on a GPU. Each check prints one line and says whether its goal was met.
#pragma once
#include "tenant.h"

namespace sentinel::measure {

struct Setup {
  const char* program;
  double seconds;  // for everything but the known answers
  uint32_t seeds;  // per family at most
  std::string uuid;    // empty: the first device
  std::string family;  // of known answers and digests; empty: all
  std::string tenant;  // a shell command whose output is that of kAsTenant; empty: our own loop
};

// False if a goal was missed, or nothing could be measured.
bool measure(const Setup& setup);

}  // namespace sentinel::measure
