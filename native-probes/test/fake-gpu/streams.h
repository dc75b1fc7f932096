#pragma once
#include "machine.h"

namespace sentinel::fake {

// Gives the operation to the stream, or to the graph that it captures. An API call: `function` is its name.
int enqueue(const char* function, Stream* stream, Operation operation);

}  // namespace sentinel::fake
