#include "multiplier.h"

namespace sentinel::gates {

Multiplier::Multiplier(uint32_t bits) : bits_(bits) {
  std::vector<uint32_t> a, b;
  for (uint32_t k = 0; k < bits; k++) a.push_back(add(Gate::kInput, k, 0));
  for (uint32_t k = 0; k < bits; k++) b.push_back(add(Gate::kInput, k, 1));
  std::vector<std::vector<uint32_t>> columns(2 * bits);
  for (uint32_t i = 0; i < bits; i++) {
    for (uint32_t j = 0; j < bits; j++) columns[i + j].push_back(add(Gate::kAnd, a[i], b[j]));
  }
  while (compress(columns)) {
  }
  add_up(columns);
}

uint32_t Multiplier::add(Gate gate, uint32_t a, uint32_t b) {
  nodes_.push_back({gate, a, b});
  return static_cast<uint32_t>(nodes_.size() - 1);
}

Multiplier::Sum Multiplier::full_adder(uint32_t x, uint32_t y, uint32_t z) {
  const uint32_t half = add(Gate::kXor, x, y);
  const uint32_t sum = add(Gate::kXor, half, z);
  const uint32_t both = add(Gate::kAnd, x, y);
  const uint32_t through = add(Gate::kAnd, half, z);
  return {sum, add(Gate::kOr, both, through)};
}

// One layer of full adders; false once no column has more than two bits.
bool Multiplier::compress(std::vector<std::vector<uint32_t>>& columns) {
  bool more = false;
  std::vector<std::vector<uint32_t>> next(columns.size() + 1);
  for (size_t k = 0; k < columns.size(); k++) {
    const std::vector<uint32_t>& column = columns[k];
    size_t i = 0;
    if (column.size() > 2) {
      more = true;
      for (; column.size() - i >= 3; i += 3) {
        const Sum s = full_adder(column[i], column[i + 1], column[i + 2]);
        next[k].push_back(s.sum);
        next[k + 1].push_back(s.carry);
      }
    }
    next[k].insert(next[k].end(), column.begin() + static_cast<long>(i), column.end());
  }
  next.resize(columns.size());  // the product of two n-bit numbers has no carry beyond 2 n bits
  columns = std::move(next);
  return more;
}

void Multiplier::add_up(const std::vector<std::vector<uint32_t>>& columns) {
  std::vector<uint32_t> carry;
  for (const std::vector<uint32_t>& column : columns) {
    std::vector<uint32_t> terms = column;
    terms.insert(terms.end(), carry.begin(), carry.end());
    carry.clear();
    if (terms.empty()) {
      product_.push_back(add(Gate::kZero, 0, 0));
    } else if (terms.size() == 1) {
      product_.push_back(terms[0]);
    } else if (terms.size() == 2) {
      product_.push_back(add(Gate::kXor, terms[0], terms[1]));
      carry.push_back(add(Gate::kAnd, terms[0], terms[1]));
    } else {
      const Sum s = full_adder(terms[0], terms[1], terms[2]);
      product_.push_back(s.sum);
      carry.push_back(s.carry);
    }
  }
}

void Multiplier::evaluate(const Operands& operands, std::vector<Lanes>& values, const StuckAt* fault) const {
  values.resize(nodes_.size());
  for (size_t k = 0; k < nodes_.size(); k++) {
    const Node& node = nodes_[k];
    switch (node.gate) {
      case Gate::kInput: values[k] = node.b == 0 ? operands.a[node.a] : operands.b[node.a]; break;
      case Gate::kAnd: values[k] = values[node.a] & values[node.b]; break;
      case Gate::kXor: values[k] = values[node.a] ^ values[node.b]; break;
      case Gate::kOr: values[k] = values[node.a] | values[node.b]; break;
      case Gate::kZero: values[k] = 0; break;
    }
    if (fault != nullptr && fault->node == k) values[k] = fault->one ? ~Lanes{0} : 0;
  }
}

}  // namespace sentinel::gates
