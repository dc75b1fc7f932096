#include "coverage.h"

namespace sentinel::gates {
namespace {

constexpr uint32_t kWord = 64;

class Simulation {
 public:
  Simulation(const Multiplier& multiplier, const std::vector<Operation>& operations, const Shows& shows)
      : multiplier_(multiplier), operations_(operations), shows_(shows), words_((operations.size() + kWord - 1) / kWord) {
    for (size_t w = 0; w < words_; w++) {
      operands_.push_back(transposed(w));
      good_.emplace_back();
      multiplier_.evaluate(operands_[w], good_[w], nullptr);
    }
  }

  struct Found {
    bool stuck_at, transition;
  };

  Found search(StuckAt fault) {
    Found found{false, false};
    for (size_t w = 0; w < words_ && !(found.stuck_at && found.transition); w++) {
      const Lanes excited = (fault.one ? ~good_[w][fault.node] : good_[w][fault.node]) & seen(w);
      const Lanes changed = excited & (fault.one ? before(w, fault.node) : ~before(w, fault.node));
      Lanes candidates = found.stuck_at ? changed : excited;
      if (w == 0) candidates &= found.stuck_at ? ~Lanes{1} : ~Lanes{0};
      if (candidates == 0) continue;
      multiplier_.evaluate(operands_[w], faulty_, &fault);
      candidates &= differing(w);
      for (; candidates != 0 && !(found.stuck_at && found.transition); candidates &= candidates - 1) {
        const uint32_t v = static_cast<uint32_t>(__builtin_ctzll(candidates));
        if (!shows_(w * kWord + v, product(v))) continue;
        found.stuck_at = true;
        // The first operation has none before it.
        if ((w > 0 || v > 0) && (changed >> v & 1) != 0) found.transition = true;
      }
    }
    return found;
  }

 private:
  const Multiplier& multiplier_;
  const std::vector<Operation>& operations_;
  const Shows& shows_;
  const size_t words_;
  std::vector<Operands> operands_;
  std::vector<std::vector<Lanes>> good_;
  std::vector<Lanes> faulty_;

  Operands transposed(size_t w) const {
    const uint32_t bits = multiplier_.bits();
    Operands out{std::vector<Lanes>(bits), std::vector<Lanes>(bits)};
    for (uint32_t v = 0; v < kWord && w * kWord + v < operations_.size(); v++) {
      const Operation& operation = operations_[w * kWord + v];
      for (uint32_t k = 0; k < bits; k++) {
        out.a[k] |= static_cast<Lanes>(operation.a >> k & 1) << v;
        out.b[k] |= static_cast<Lanes>(operation.b >> k & 1) << v;
      }
    }
    return out;
  }

  Lanes seen(size_t w) const {
    Lanes mask = 0;
    for (uint32_t v = 0; v < kWord && w * kWord + v < operations_.size(); v++)
      mask |= static_cast<Lanes>(operations_[w * kWord + v].seen) << v;
    return mask;
  }

  // The node's value in the operation before each.
  Lanes before(size_t w, uint32_t node) const {
    return good_[w][node] << 1 | (w > 0 ? good_[w - 1][node] >> (kWord - 1) : 0);
  }

  Lanes differing(size_t w) const {
    Lanes any = 0;
    for (uint32_t node : multiplier_.product()) any |= faulty_[node] ^ good_[w][node];
    return any;
  }

  uint64_t product(uint32_t v) const {
    uint64_t out = 0;
    for (size_t k = 0; k < multiplier_.product().size(); k++)
      out |= (faulty_[multiplier_.product()[k]] >> v & 1) << k;
    return out;
  }
};

}  // namespace

Coverage coverage_of(const Multiplier& multiplier, const std::vector<Operation>& operations, const Shows& shows) {
  Simulation simulation(multiplier, operations, shows);
  Coverage out{};
  for (uint32_t node = 0; node < multiplier.nodes().size(); node++) {
    if (multiplier.nodes()[node].gate == Gate::kZero) continue;
    for (bool one : {false, true}) {
      const auto found = simulation.search({node, one});
      out.faults++;
      out.stuck_at_found += found.stuck_at;
      out.transition_found += found.transition;
    }
  }
  return out;
}

}  // namespace sentinel::gates
