#include "lanes.h"

#include "../../core/fma32.h"
#include "../../core/tc_multiplier.h"

namespace sentinel::gates {
namespace {

bool finite(uint32_t x) { return !is_nan(x) && !is_infinite(x); }

bool depends_on_product(const Fma32Operands& x) { return finite(x.a) && finite(x.b) && finite(x.c); }

// What the family keeps of a multiplication: the rounded multiply-add, and the rounded product.
struct Kept {
  uint32_t fused, product;
  bool operator!=(const Kept& other) const { return fused != other.fused || product != other.product; }
};

Kept kept_of(const Fma32Operands& x, uint64_t product) {
  const uint32_t sign = (x.a ^ x.b) & kSign;
  const int exponent = exponent_of(x.a) + exponent_of(x.b);
  const uint32_t rounded = product == 0 ? sign : sign | round_to(kBinary32, product, exponent);
  return {add_terms({sign, product, exponent}, term_of(x.c)), rounded};
}

uint64_t right_product(const Fma32Operands& x) {
  return static_cast<uint64_t>(significand_of(x.a)) * significand_of(x.b);
}

constexpr uint32_t kSignificandBits = 24;

constexpr uint32_t kMultiplicationsOfIteration = 2;

template <class Format, uint32_t bits>
Coverage tc_format_coverage(uint64_t seed, uint32_t number, uint32_t iterations, uint32_t step) {
  const TcPlace place = {number % kTcRows, number / kTcRows % kTcColumns, number % kTcQuad,
                         number / kTcQuad % Format::kElements};
  std::vector<Operation> operations;
  for (uint32_t group = 0; group < kGpuGroups; group++) {
    for (uint32_t i = 0; i < iterations; i += step) {
      for (uint32_t k = 0; k < kMultiplicationsOfIteration; k++) {
        const TcSignificands x = tc_multiplier_operands<Format, bits>({seed, group, i}, place, k);
        operations.push_back({x.a, x.b, x.a != 0 && x.b != 0});
      }
    }
  }
  static const Multiplier multiplier(bits);
  return coverage_of(multiplier, operations, [&](size_t k, uint64_t wrong) {
    return wrong != static_cast<uint64_t>(operations[k].a) * operations[k].b;
  });
}

}  // namespace

Coverage fma32_coverage(uint64_t seed, const std::vector<uint32_t>& lanes, uint32_t iterations, uint32_t step) {
  std::vector<Fma32Operands> vectors;
  std::vector<Operation> operations;
  for (uint32_t lane : lanes) {
    for (uint32_t i = 0; i < iterations; i += step) {
      const Fma32Operands x = fma32_operands(seed, lane, i);
      vectors.push_back(x);
      operations.push_back({significand_of(x.a), significand_of(x.b), depends_on_product(x)});
    }
  }
  static const Multiplier multiplier(kSignificandBits);
  return coverage_of(multiplier, operations, [&](size_t k, uint64_t wrong) {
    return kept_of(vectors[k], wrong) != kept_of(vectors[k], right_product(vectors[k]));
  });
}

Coverage tc_coverage(Family family, uint64_t seed, uint32_t place, uint32_t iterations, uint32_t step) {
  switch (family) {
    case Family::kTcFp16: return tc_format_coverage<TcFp16, 11>(seed, place, iterations, step);
    case Family::kTcTf32: return tc_format_coverage<TcTf32, 11>(seed, place, iterations, step);
    case Family::kTcBf16: return tc_format_coverage<TcBf16, 8>(seed, place, iterations, step);
    default: return tc_format_coverage<TcFp8, 4>(seed, place, iterations, step);
  }
}

}  // namespace sentinel::gates
