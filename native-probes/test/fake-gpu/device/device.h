// What cuda/device.h is on a GPU, on a fake one: found first on the include path when the kernels are compiled for it.
#pragma once
#include <time.h>

#include "../kernels.h"
#include "arithmetic.h"

#define SENTINEL_DEVICE static inline
#define SENTINEL_MEMBER inline
#define SENTINEL_ROLLED

namespace sentinel::device {

using fake::result;
using fake::Unit;

SENTINEL_DEVICE uint32_t result32(Unit unit, uint32_t value) { return static_cast<uint32_t>(result(unit, value)); }

SENTINEL_DEVICE uint32_t smid() { return fake::read_smid(); }
SENTINEL_DEVICE uint32_t nsmid() { return fake::place().nsmid; }
SENTINEL_DEVICE uint32_t warp_id() { return fake::thread_index() / fake::kWarpSize; }
SENTINEL_DEVICE uint64_t global_timer() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}
SENTINEL_DEVICE uint32_t thread() { return fake::thread_index(); }
SENTINEL_DEVICE uint32_t block_threads() { return fake::place().threads; }
SENTINEL_DEVICE uint32_t block() { return fake::place().block; }
SENTINEL_DEVICE uint32_t blocks() { return fake::place().blocks; }

template <typename T>
SENTINEL_DEVICE T* global(uint64_t address) {
  return static_cast<T*>(fake::global_memory(address));
}
SENTINEL_DEVICE uint32_t* dynamic_shared() { return reinterpret_cast<uint32_t*>(fake::shared_memory()); }
SENTINEL_DEVICE uint32_t dynamic_shared_bytes() { return fake::place().shared_bytes; }

SENTINEL_DEVICE void sync_block() { fake::block_barrier(); }
SENTINEL_DEVICE void sync_warp() { fake::warp_barrier(); }
SENTINEL_DEVICE bool sync_block_any(bool predicate) { return fake::block_any(predicate); }
SENTINEL_DEVICE void hold(uint32_t ns) { fake::hold_for(ns); }

// Fibers change at waits alone, so that a read and a write between two waits are one step.
SENTINEL_DEVICE uint32_t compare_and_swap(uint32_t* place, uint32_t expected, uint32_t desired) {
  const uint32_t before = *place;
  if (fake::claim_is_broken()) return expected;
  if (before == expected) *place = desired;
  return before;
}
SENTINEL_DEVICE uint32_t atomic_add(uint32_t* place, uint32_t value) {
  const uint32_t before = *place;
  *place = before + value;
  return before;
}
SENTINEL_DEVICE uint32_t atomic_or(uint32_t* place, uint32_t value) {
  const uint32_t before = *place;
  *place = before | value;
  return before;
}

SENTINEL_DEVICE uint32_t atomic_and(uint32_t* place, uint32_t value) {
  const uint32_t before = *place;
  *place = before & value;
  return before;
}
SENTINEL_DEVICE uint32_t atomic_xor(uint32_t* place, uint32_t value) {
  const uint32_t before = *place;
  *place = before ^ value;
  return before;
}
SENTINEL_DEVICE uint32_t atomic_max(uint32_t* place, uint32_t value) {
  const uint32_t before = *place;
  *place = before > value ? before : value;
  return before;
}
SENTINEL_DEVICE uint32_t atomic_min(uint32_t* place, uint32_t value) {
  const uint32_t before = *place;
  *place = before < value ? before : value;
  return before;
}

template <uint32_t kWords>
SENTINEL_DEVICE void load_shared(uint32_t word, uint32_t* out) {
  const uint32_t* from = dynamic_shared() + word;
  for (uint32_t k = 0; k < kWords; k++) out[k] = fake::loaded(from + k, from[k]);
}
template <uint32_t kWords>
SENTINEL_DEVICE void store_shared(uint32_t word, const uint32_t* in) {
  memcpy(dynamic_shared() + word, in, kWords * sizeof(uint32_t));
}
SENTINEL_DEVICE void load_matrices(uint32_t word, uint32_t* out) {
  const auto words = fake::exchanged(word);
  for (uint32_t q = 0; q < 4; q++)
    load_shared<1>(words[8 * q + fake::lane_index() / 4] + fake::lane_index() % 4, out + q);
  fake::warp_barrier();  // one instruction: no lane writes before all have read
}
SENTINEL_DEVICE void copy_to_shared(uint32_t word, const uint32_t* from) {
  for (uint32_t k = 0; k < 4; k++) dynamic_shared()[word + k] = fake::loaded(from + k, from[k]);
}
SENTINEL_DEVICE void wait_for_copies() {}

SENTINEL_DEVICE uint32_t load_cg(const uint32_t* place) { return fake::loaded(place, *place); }
SENTINEL_DEVICE void store_cg(uint32_t* place, uint32_t value) { *place = value; }

SENTINEL_DEVICE uint32_t opaque(uint32_t x) { return result32(Unit::kInteger, x); }
SENTINEL_DEVICE uint64_t opaque(uint64_t x) { return result(Unit::kInteger, x); }

SENTINEL_DEVICE uint32_t shuffle_xor(uint32_t value, uint32_t mask) {
  return result32(Unit::kShuffle, fake::exchanged(value)[fake::lane_index() ^ mask]);
}
SENTINEL_DEVICE uint32_t shuffle(uint32_t value, uint32_t lane) {
  return result32(Unit::kShuffle, fake::exchanged(value)[lane]);
}
SENTINEL_DEVICE uint32_t ballot(bool predicate) {
  const auto votes = fake::exchanged(predicate);
  uint32_t mask = 0;
  for (uint32_t lane = 0; lane < fake::kWarpSize; lane++) mask |= static_cast<uint32_t>(votes[lane]) << lane;
  return result32(Unit::kShuffle, mask);
}

// ---- binary32

SENTINEL_DEVICE uint32_t fma_f32(uint32_t a, uint32_t b, uint32_t c) {
  return result32(Unit::kF32, fake::bits(fmaf(fake::f32(a), fake::f32(b), fake::f32(c))));
}
SENTINEL_DEVICE uint32_t add_f32(uint32_t a, uint32_t b) {
  return result32(Unit::kF32, fake::bits(fake::f32(a) + fake::f32(b)));
}
SENTINEL_DEVICE uint32_t mul_f32(uint32_t a, uint32_t b) {
  return result32(Unit::kF32, fake::bits(fake::f32(a) * fake::f32(b)));
}
SENTINEL_DEVICE uint32_t int32_from_f32(uint32_t x) {
  return result32(Unit::kF32, static_cast<uint32_t>(_mm_cvtss_si32(_mm_set_ss(fake::f32(x)))));
}
SENTINEL_DEVICE uint32_t f32_from_int32(uint32_t x) {
  return result32(Unit::kF32, fake::bits(static_cast<float>(static_cast<int32_t>(x))));
}
SENTINEL_DEVICE uint32_t f16_from_f32(uint32_t x) {
  return result32(Unit::kF32, static_cast<uint16_t>(_cvtss_sh(fake::f32(x), _MM_FROUND_TO_NEAREST_INT)));
}
SENTINEL_DEVICE uint32_t f32_from_f16(uint32_t x) {
  return result32(Unit::kF32, fake::bits(_cvtsh_ss(static_cast<uint16_t>(x))));
}

// ---- special functions: no more than the C library's own, which all SMs share

SENTINEL_DEVICE uint32_t ex2_f32(uint32_t x) { return result32(Unit::kSfu, fake::bits(exp2f(fake::f32(x)))); }
SENTINEL_DEVICE uint32_t lg2_f32(uint32_t x) { return result32(Unit::kSfu, fake::bits(log2f(fake::f32(x)))); }
SENTINEL_DEVICE uint32_t rcp_f32(uint32_t x) { return result32(Unit::kSfu, fake::bits(1 / fake::f32(x))); }
SENTINEL_DEVICE uint32_t rsqrt_f32(uint32_t x) { return result32(Unit::kSfu, fake::bits(1 / sqrtf(fake::f32(x)))); }
SENTINEL_DEVICE uint32_t sqrt_f32(uint32_t x) { return result32(Unit::kSfu, fake::bits(sqrtf(fake::f32(x)))); }
SENTINEL_DEVICE uint32_t sin_f32(uint32_t x) { return result32(Unit::kSfu, fake::bits(sinf(fake::f32(x)))); }
SENTINEL_DEVICE uint32_t cos_f32(uint32_t x) { return result32(Unit::kSfu, fake::bits(cosf(fake::f32(x)))); }
SENTINEL_DEVICE uint32_t tanh_f32(uint32_t x) { return result32(Unit::kSfu, fake::bits(tanhf(fake::f32(x)))); }

// ---- binary64

SENTINEL_DEVICE uint64_t fma_f64(uint64_t a, uint64_t b, uint64_t c) {
  return result(Unit::kF64, fake::bits(fma(fake::f64(a), fake::f64(b), fake::f64(c))));
}
SENTINEL_DEVICE uint64_t add_f64(uint64_t a, uint64_t b) {
  return result(Unit::kF64, fake::bits(fake::f64(a) + fake::f64(b)));
}
SENTINEL_DEVICE uint64_t mul_f64(uint64_t a, uint64_t b) {
  return result(Unit::kF64, fake::bits(fake::f64(a) * fake::f64(b)));
}
SENTINEL_DEVICE uint32_t int32_from_f64(uint64_t x) {
  return result32(Unit::kF64, static_cast<uint32_t>(_mm_cvtsd_si32(_mm_set_sd(fake::f64(x)))));
}
SENTINEL_DEVICE uint64_t f64_from_int32(uint32_t x) {
  return result(Unit::kF64, fake::bits(static_cast<double>(static_cast<int32_t>(x))));
}
SENTINEL_DEVICE uint32_t f32_from_f64(uint64_t x) {
  return result32(Unit::kF64, fake::bits(static_cast<float>(fake::f64(x))));
}
SENTINEL_DEVICE uint64_t f64_from_f32(uint32_t x) {
  return result(Unit::kF64, fake::bits(static_cast<double>(fake::f32(x))));
}

// ---- two binary16 or two bfloat16 in one word, low half first

SENTINEL_DEVICE uint32_t fma_f16x2(uint32_t a, uint32_t b, uint32_t c) {
  return result32(Unit::kF16, fake::packed_fma<fake::Half>(a, b, c));
}
SENTINEL_DEVICE uint32_t add_f16x2(uint32_t a, uint32_t b) {
  return result32(Unit::kF16, fake::packed_add<fake::Half>(a, b));
}
SENTINEL_DEVICE uint32_t mul_f16x2(uint32_t a, uint32_t b) {
  return result32(Unit::kF16, fake::packed_multiply<fake::Half>(a, b));
}
SENTINEL_DEVICE uint32_t fma_bf16x2(uint32_t a, uint32_t b, uint32_t c) {
  return result32(Unit::kBf16, fake::packed_fma<fake::Bfloat>(a, b, c));
}
SENTINEL_DEVICE uint32_t add_bf16x2(uint32_t a, uint32_t b) {
  return result32(Unit::kBf16, fake::packed_add<fake::Bfloat>(a, b));
}
SENTINEL_DEVICE uint32_t mul_bf16x2(uint32_t a, uint32_t b) {
  return result32(Unit::kBf16, fake::packed_multiply<fake::Bfloat>(a, b));
}
SENTINEL_DEVICE uint32_t bf16x2_from_f32(uint32_t low, uint32_t high) {
  const auto rounded = [](uint32_t word) { return fake::Bfloat::rounded(static_cast<double>(fake::f32(word))); };
  return result32(Unit::kBf16, rounded(low) | rounded(high) << 16);
}

}  // namespace sentinel::device
