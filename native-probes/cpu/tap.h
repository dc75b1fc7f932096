// What a Tap is told of the operand or result that it sees.
#pragma once

namespace sentinel {

// How a result becomes canonical before it is folded.
enum class ResultKind { kBits, kBinary32, kBinary16, kBinary16Pair };

enum class Operand { kA, kB, kC };

}  // namespace sentinel
