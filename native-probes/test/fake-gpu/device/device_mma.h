// What cuda/device_mma.h is on a GPU, on a fake one: the warp's fragments are put together and multiplied in binary64,
// which holds every sum of the families exactly.
#pragma once
#include "device.h"

// The harder way of the two, whatever the architecture: operands go through shared memory, in the layout that the
// descriptors of sm_90a mean.
#define SENTINEL_FP8_BY_WARPGROUP

namespace sentinel::device {

using WarpMma = void(uint32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], const uint32_t (&c)[4]);

// The registers of one lane.
struct LaneFragments {
  uint32_t a[4], b[2];
};

// Element e of the lane's share of row or column: of a row's upper half where `upper`; k ascends within each register,
// and the second register of either has the higher half of k.
template <class Element>
double element_of_a(const LaneFragments& lane, uint32_t upper, uint32_t e) {
  return Element::value(lane.a[e / Element::kPerRegister * 2 + upper], e % Element::kPerRegister);
}
template <class Element>
double element_of_b(const LaneFragments& lane, uint32_t e) {
  return Element::value(lane.b[e / Element::kPerRegister], e % Element::kPerRegister);
}

// The sum of products at one place of the 16 x 8 result.
template <class Element>
double dot_product(const fake::WarpView<LaneFragments>& lanes, uint32_t row, uint32_t column) {
  double sum = 0;
  for (uint32_t q = 0; q < 4; q++) {
    for (uint32_t e = 0; e < 2 * Element::kPerRegister; e++)
      sum += element_of_a<Element>(lanes[row % 8 * 4 + q], row / 8, e) * element_of_b<Element>(lanes[column * 4 + q], e);
  }
  return sum;
}

// The four products of the calling lane's places: two columns in row lane / 4, and in the row eight below.
template <class Element>
void dot_products(double (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  const auto lanes = fake::exchanged(LaneFragments{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}});
  const uint32_t lane = fake::lane_index();
  for (uint32_t j = 0; j < 4; j++) sums[j] = dot_product<Element>(lanes, lane / 4 + j / 2 * 8, lane % 4 * 2 + j % 2);
}

struct F16Element {
  static constexpr uint32_t kPerRegister = 2;
  static double value(uint32_t word, uint32_t e) {
    return fake::Half::widened(word >> 16 * e & 0xffffu);
  }
};
struct Bf16Element {
  static constexpr uint32_t kPerRegister = 2;
  static double value(uint32_t word, uint32_t e) { return fake::Bfloat::widened(word >> 16 * e & 0xffffu); }
};
struct Tf32Element {
  static constexpr uint32_t kPerRegister = 1;
  static double value(uint32_t word, uint32_t) { return static_cast<double>(fake::f32(word & 0xffffe000u)); }
};
struct S8Element {
  static constexpr uint32_t kPerRegister = 4;
  static double value(uint32_t word, uint32_t e) { return static_cast<int8_t>(word >> 8 * e & 0xffu); }
};
struct E4m3Element {
  static constexpr uint32_t kPerRegister = 4;
  static double value(uint32_t word, uint32_t e) {
    const uint32_t x = word >> 8 * e & 0xffu;
    if ((x & 0x7fu) == 0x7fu) return __builtin_nan("");
    // The bits are those of a binary16 that is 2^8 smaller: the bias is 15 there, 7 here.
    return fake::Half::widened((x & 0x80u) << 8 | (x & 0x7fu) << 7) * 256;
  }
};

template <class Element>
void mma_single(uint32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], const uint32_t (&c)[4]) {
  double sums[4];
  dot_products<Element>(sums, a, b);
  for (uint32_t j = 0; j < 4; j++) {
    const float rounded = static_cast<float>(sums[j] + static_cast<double>(fake::f32(c[j])));
    d[j] = result32(Unit::kTensor, fake::bits(rounded));
  }
}

SENTINEL_DEVICE void mma_f16(uint32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], const uint32_t (&c)[4]) {
  mma_single<F16Element>(d, a, b, c);
}
SENTINEL_DEVICE void mma_bf16(uint32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], const uint32_t (&c)[4]) {
  mma_single<Bf16Element>(d, a, b, c);
}
SENTINEL_DEVICE void mma_tf32(uint32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], const uint32_t (&c)[4]) {
  mma_single<Tf32Element>(d, a, b, c);
}
SENTINEL_DEVICE void mma_s8(uint32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], const uint32_t (&c)[4]) {
  double sums[4];
  dot_products<S8Element>(sums, a, b);
  for (uint32_t j = 0; j < 4; j++)
    d[j] = result32(Unit::kTensor, static_cast<uint32_t>(static_cast<int32_t>(sums[j])) + c[j]);
}

SENTINEL_DEVICE void mma_f16_narrow(uint32_t (&d)[2], const uint32_t (&a)[4], const uint32_t (&b)[2],
                                    const uint32_t (&c)[2]) {
  double sums[4];
  dot_products<F16Element>(sums, a, b);
  uint32_t halves[4];
  for (uint32_t j = 0; j < 4; j++) {
    const double sum = sums[j] + F16Element::value(c[j / 2], j % 2);
    halves[j] = result32(Unit::kTensor, fake::Half::rounded(sum)) & 0xffffu;
  }
  for (uint32_t j = 0; j < 2; j++) d[j] = halves[2 * j] | halves[2 * j + 1] << 16;
}

// A chain of fused multiply-adds over k.
SENTINEL_DEVICE void mma_f64(uint64_t (&d)[2], uint64_t a, uint64_t b, const uint64_t (&c)[2]) {
  struct Factors {
    uint64_t a, b;
  };
  const auto lanes = fake::exchanged(Factors{a, b});
  const uint32_t lane = fake::lane_index();
  for (uint32_t j = 0; j < 2; j++) {
    double sum = fake::f64(c[j]);
    for (uint32_t k = 0; k < 4; k++) {
      sum = __builtin_fma(fake::f64(lanes[lane / 4 * 4 + k].a),
                          fake::f64(lanes[(lane % 4 * 2 + j) * 4 + k].b), sum);
    }
    d[j] = result(Unit::kTensor, fake::bits(sum));
  }
}

// All warpgroups of a block do the same, so that the whole block may wait.
SENTINEL_DEVICE void sync_warpgroup() { fake::block_barrier(); }
SENTINEL_DEVICE void publish_to_warpgroup_mma() { fake::block_barrier(); }

// Byte k of a row of 32, in blocks of 8 rows x 16 bytes: the blocks of a row are 128 bytes apart, those of the next 8 rows 256.
SENTINEL_DEVICE double e4m3_in_shared(const uint32_t* matrix, uint32_t row, uint32_t k) {
  const uint32_t place = row / 8 * 256 + k / 16 * 128 + row % 8 * 16 + k % 16;
  return E4m3Element::value(matrix[place / 4], place % 4);
}

// The calling warp's 16 of the 64 rows of A.
SENTINEL_DEVICE void warpgroup_mma_e4m3(uint32_t (&d)[4], const uint32_t* a, const uint32_t* b) {
  const uint32_t lane = fake::lane_index();
  const uint32_t first_row = fake::thread_index() / fake::kWarpSize % 4 * 16;
  for (uint32_t j = 0; j < 4; j++) {
    double sum = static_cast<double>(fake::f32(d[j]));
    for (uint32_t k = 0; k < 32; k++)
      sum += e4m3_in_shared(a, first_row + lane / 4 + j / 2 * 8, k) * e4m3_in_shared(b, lane % 4 * 2 + j % 2, k);
    d[j] = result32(Unit::kTensor, fake::bits(static_cast<float>(sum)));
  }
}

}  // namespace sentinel::device
