// A gate-level array multiplier: partial products by AND, carry-save full adders in Dadda's manner, a ripple adder at the
// end. The silicon's multipliers are of other topologies (Booth recoding, other adders); this one stands for "some
// multiplier of that width", so that sets of operands can be compared.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <vector>

namespace sentinel::gates {

enum class Gate : uint8_t { kInput, kAnd, kXor, kOr, kZero };

struct Node {
  Gate gate;
  uint32_t a, b;  // nodes; of an input: its bit and which operand
};

// Sixty-four vectors at a time: bit v of a word belongs to vector v.
using Lanes = uint64_t;

// The operands of 64 vectors, transposed: [bit].
struct Operands {
  std::vector<Lanes> a, b;
};

struct StuckAt {
  uint32_t node;
  bool one;
};

class Multiplier {
 public:
  explicit Multiplier(uint32_t bits);

  uint32_t bits() const { return bits_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  // Node of each of the 2 * bits product bits.
  const std::vector<uint32_t>& product() const { return product_; }
  // Values of all nodes, with a fault where one is given.
  void evaluate(const Operands& operands, std::vector<Lanes>& values, const StuckAt* fault) const;

 private:
  struct Sum {
    uint32_t sum, carry;
  };
  uint32_t add(Gate gate, uint32_t a, uint32_t b);
  Sum full_adder(uint32_t x, uint32_t y, uint32_t z);
  bool compress(std::vector<std::vector<uint32_t>>& columns);
  void add_up(const std::vector<std::vector<uint32_t>>& columns);

  uint32_t bits_;
  std::vector<Node> nodes_;
  std::vector<uint32_t> product_;
};

}  // namespace sentinel::gates
