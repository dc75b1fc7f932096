// The only place that knows PTX and CUDA's built-ins: functions on bit patterns. Kernels are ordinary C++ over these, so
// that the tests' fake GPU runs the same kernels on a CPU by bringing another <device.h>.
//
// Every arithmetic function is one volatile instruction: the compiler can neither compute it beforehand nor leave it out.
// Rounding is to nearest, ties to even; subnormals are kept.
#pragma once
#include <stdint.h>

#define SENTINEL_DEVICE static __device__ __forceinline__
#define SENTINEL_MEMBER __device__ __forceinline__  // of a class, not static

// Before a loop that must stay one: unrolled, its body would not fit the instruction cache.
#define SENTINEL_ROLLED _Pragma("unroll 1")

// A kernel of `threads` threads per block, of which one block fits per SM, and its only argument `arguments`.
#define SENTINEL_KERNEL(name, threads) \
  extern "C" __global__ void __launch_bounds__(threads, 1) name(const sentinel::LaunchArguments arguments)

namespace sentinel::device {

// ---- where this thread runs

SENTINEL_DEVICE uint32_t smid() {
  uint32_t r;
  asm volatile("mov.u32 %0, %%smid;" : "=r"(r));
  return r;
}

// Numbers of SMs are below it; it may exceed how many there are.
SENTINEL_DEVICE uint32_t nsmid() {
  uint32_t r;
  asm volatile("mov.u32 %0, %%nsmid;" : "=r"(r));
  return r;
}

// Of the SM, not of the block: its sub-partition is warp_id() mod 4.
SENTINEL_DEVICE uint32_t warp_id() {
  uint32_t r;
  asm volatile("mov.u32 %0, %%warpid;" : "=r"(r));
  return r;
}

// Nanoseconds of a clock that all SMs share; it may advance in steps of a microsecond.
SENTINEL_DEVICE uint64_t global_timer() {
  uint64_t r;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(r));
  return r;
}

SENTINEL_DEVICE uint32_t thread() { return threadIdx.x; }
SENTINEL_DEVICE uint32_t block_threads() { return blockDim.x; }
SENTINEL_DEVICE uint32_t block() { return blockIdx.x; }
SENTINEL_DEVICE uint32_t blocks() { return gridDim.x; }

// ---- the GPU's memory: what lies at a device address

template <typename T>
SENTINEL_DEVICE T* global(uint64_t address) {
  return reinterpret_cast<T*>(static_cast<uintptr_t>(address));
}

// ---- shared memory of the size that the host asked for at launch

SENTINEL_DEVICE uint32_t* dynamic_shared() {
  extern __shared__ __align__(1024) uint32_t sentinel_shared[];
  return sentinel_shared;
}

// Of a word of it, as instructions want it.
SENTINEL_DEVICE uint32_t shared_address(uint32_t word) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(dynamic_shared() + word));
}

SENTINEL_DEVICE uint32_t dynamic_shared_bytes() {
  uint32_t r;
  asm volatile("mov.u32 %0, %%dynamic_smem_size;" : "=r"(r));
  return r;
}

// One, two or four words at once, by their number, a multiple of how many they are.
template <uint32_t kWords>
SENTINEL_DEVICE void load_shared(uint32_t word, uint32_t* out) {
  const uint32_t address = shared_address(word);
  if constexpr (kWords == 1) {
    asm volatile("ld.volatile.shared.u32 %0, [%1];" : "=r"(out[0]) : "r"(address) : "memory");
  } else if constexpr (kWords == 2) {
    asm volatile("ld.volatile.shared.v2.u32 {%0, %1}, [%2];" : "=r"(out[0]), "=r"(out[1]) : "r"(address) : "memory");
  } else {
    asm volatile("ld.volatile.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(address)
                 : "memory");
  }
}
template <uint32_t kWords>
SENTINEL_DEVICE void store_shared(uint32_t word, const uint32_t* in) {
  const uint32_t address = shared_address(word);
  if constexpr (kWords == 1) {
    asm volatile("st.volatile.shared.u32 [%0], %1;" ::"r"(address), "r"(in[0]) : "memory");
  } else if constexpr (kWords == 2) {
    asm volatile("st.volatile.shared.v2.u32 [%0], {%1, %2};" ::"r"(address), "r"(in[0]), "r"(in[1]) : "memory");
  } else {
    asm volatile("st.volatile.shared.v4.u32 [%0], {%1, %2, %3, %4};" ::"r"(address), "r"(in[0]), "r"(in[1]), "r"(in[2]),
                 "r"(in[3])
                 : "memory");
  }
}

// All lanes of a warp call, each with the first of four words of its own. Lane t gets, for q = 0..3, word t mod 4 of the
// lane 8 q + t div 4.
SENTINEL_DEVICE void load_matrices(uint32_t word, uint32_t* out) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(shared_address(word))
               : "memory");
}

// Four words from the GPU's memory, past the registers; there when wait_for_copies() returns.
SENTINEL_DEVICE void copy_to_shared(uint32_t word, const uint32_t* from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared_address(word)), "l"(from) : "memory");
}
SENTINEL_DEVICE void wait_for_copies() { asm volatile("cp.async.wait_all;" ::: "memory"); }

// ---- order and waiting

SENTINEL_DEVICE void sync_block() { __syncthreads(); }
SENTINEL_DEVICE void sync_warp() { __syncwarp(); }

// Waits for the whole block; true if the predicate is in any of its threads.
SENTINEL_DEVICE bool sync_block_any(bool predicate) { return __syncthreads_or(predicate) != 0; }

// Sleeps at least ns nanoseconds, unless the clock stands still: then some ten times as long.
SENTINEL_DEVICE void hold(uint32_t ns) {
  constexpr uint32_t nap_ns = 1000;
  const uint64_t start = global_timer();
  for (uint32_t nap = 0; nap < ns / nap_ns * 10 + 10 && global_timer() - start < ns; nap++) __nanosleep(nap_ns);
}

// ---- atomics on the GPU's memory

// Returns what was there.
SENTINEL_DEVICE uint32_t compare_and_swap(uint32_t* place, uint32_t expected, uint32_t desired) {
  return atomicCAS(place, expected, desired);
}
SENTINEL_DEVICE uint32_t atomic_add(uint32_t* place, uint32_t value) { return atomicAdd(place, value); }
SENTINEL_DEVICE uint32_t atomic_or(uint32_t* place, uint32_t value) { return atomicOr(place, value); }
SENTINEL_DEVICE uint32_t atomic_and(uint32_t* place, uint32_t value) { return atomicAnd(place, value); }
SENTINEL_DEVICE uint32_t atomic_xor(uint32_t* place, uint32_t value) { return atomicXor(place, value); }
SENTINEL_DEVICE uint32_t atomic_max(uint32_t* place, uint32_t value) { return atomicMax(place, value); }
SENTINEL_DEVICE uint32_t atomic_min(uint32_t* place, uint32_t value) { return atomicMin(place, value); }

// Past the first-level cache, which other SMs do not see.
SENTINEL_DEVICE uint32_t load_cg(const uint32_t* place) {
  uint32_t r;
  asm volatile("ld.global.cg.u32 %0, [%1];" : "=r"(r) : "l"(place) : "memory");
  return r;
}
SENTINEL_DEVICE void store_cg(uint32_t* place, uint32_t value) {
  asm volatile("st.global.cg.u32 [%0], %1;" ::"l"(place), "r"(value) : "memory");
}

// ---- values that the compiler must not see through

SENTINEL_DEVICE uint32_t opaque(uint32_t x) {
  asm volatile("" : "+r"(x));
  return x;
}
SENTINEL_DEVICE uint64_t opaque(uint64_t x) {
  asm volatile("" : "+l"(x));
  return x;
}

// ---- between the lanes of a warp, all of which call

// The value of the lane whose number differs by the bits of mask.
SENTINEL_DEVICE uint32_t shuffle_xor(uint32_t value, uint32_t mask) {
  uint32_t r;
  asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 31, 0xffffffff;" : "=r"(r) : "r"(value), "r"(mask));
  return r;
}

// The value of the lane of that number.
SENTINEL_DEVICE uint32_t shuffle(uint32_t value, uint32_t lane) {
  uint32_t r;
  asm volatile("shfl.sync.idx.b32 %0, %1, %2, 31, 0xffffffff;" : "=r"(r) : "r"(value), "r"(lane));
  return r;
}

// Bit l = the predicate of lane l.
SENTINEL_DEVICE uint32_t ballot(bool predicate) {
  uint32_t r;
  asm volatile(
      "{ .reg .pred p; setp.ne.u32 p, %1, 0; vote.sync.ballot.b32 %0, p, 0xffffffff; }"
      : "=r"(r)
      : "r"(static_cast<uint32_t>(predicate)));
  return r;
}

// ---- binary32

SENTINEL_DEVICE uint32_t fma_f32(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t r;
  asm volatile("fma.rn.f32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c));
  return r;
}
SENTINEL_DEVICE uint32_t add_f32(uint32_t a, uint32_t b) {
  uint32_t r;
  asm volatile("add.rn.f32 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));
  return r;
}
SENTINEL_DEVICE uint32_t mul_f32(uint32_t a, uint32_t b) {
  uint32_t r;
  asm volatile("mul.rn.f32 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));
  return r;
}
SENTINEL_DEVICE uint32_t int32_from_f32(uint32_t x) {
  uint32_t r;
  asm volatile("cvt.rni.s32.f32 %0, %1;" : "=r"(r) : "r"(x));
  return r;
}
SENTINEL_DEVICE uint32_t f32_from_int32(uint32_t x) {
  uint32_t r;
  asm volatile("cvt.rn.f32.s32 %0, %1;" : "=r"(r) : "r"(x));
  return r;
}
SENTINEL_DEVICE uint32_t f16_from_f32(uint32_t x) {
  uint16_t r;
  asm volatile("cvt.rn.f16.f32 %0, %1;" : "=h"(r) : "r"(x));
  return r;
}
// Of the low 16 bits.
SENTINEL_DEVICE uint32_t f32_from_f16(uint32_t x) {
  uint32_t r;
  asm volatile("cvt.f32.f16 %0, %1;" : "=r"(r) : "h"(static_cast<uint16_t>(x)));
  return r;
}

// ---- special functions of binary32, by their own unit: approximations that differ between architectures

SENTINEL_DEVICE uint32_t ex2_f32(uint32_t x) {
  uint32_t r;
  asm volatile("ex2.approx.f32 %0, %1;" : "=r"(r) : "r"(x));
  return r;
}
SENTINEL_DEVICE uint32_t lg2_f32(uint32_t x) {
  uint32_t r;
  asm volatile("lg2.approx.f32 %0, %1;" : "=r"(r) : "r"(x));
  return r;
}
SENTINEL_DEVICE uint32_t rcp_f32(uint32_t x) {
  uint32_t r;
  asm volatile("rcp.approx.f32 %0, %1;" : "=r"(r) : "r"(x));
  return r;
}
SENTINEL_DEVICE uint32_t rsqrt_f32(uint32_t x) {
  uint32_t r;
  asm volatile("rsqrt.approx.f32 %0, %1;" : "=r"(r) : "r"(x));
  return r;
}
SENTINEL_DEVICE uint32_t sqrt_f32(uint32_t x) {
  uint32_t r;
  asm volatile("sqrt.approx.f32 %0, %1;" : "=r"(r) : "r"(x));
  return r;
}
SENTINEL_DEVICE uint32_t sin_f32(uint32_t x) {
  uint32_t r;
  asm volatile("sin.approx.f32 %0, %1;" : "=r"(r) : "r"(x));
  return r;
}
SENTINEL_DEVICE uint32_t cos_f32(uint32_t x) {
  uint32_t r;
  asm volatile("cos.approx.f32 %0, %1;" : "=r"(r) : "r"(x));
  return r;
}
SENTINEL_DEVICE uint32_t tanh_f32(uint32_t x) {
  uint32_t r;
  asm volatile("tanh.approx.f32 %0, %1;" : "=r"(r) : "r"(x));
  return r;
}

// ---- binary64

SENTINEL_DEVICE uint64_t fma_f64(uint64_t a, uint64_t b, uint64_t c) {
  uint64_t r;
  asm volatile("fma.rn.f64 %0, %1, %2, %3;" : "=l"(r) : "l"(a), "l"(b), "l"(c));
  return r;
}
SENTINEL_DEVICE uint64_t add_f64(uint64_t a, uint64_t b) {
  uint64_t r;
  asm volatile("add.rn.f64 %0, %1, %2;" : "=l"(r) : "l"(a), "l"(b));
  return r;
}
SENTINEL_DEVICE uint64_t mul_f64(uint64_t a, uint64_t b) {
  uint64_t r;
  asm volatile("mul.rn.f64 %0, %1, %2;" : "=l"(r) : "l"(a), "l"(b));
  return r;
}
SENTINEL_DEVICE uint32_t int32_from_f64(uint64_t x) {
  uint32_t r;
  asm volatile("cvt.rni.s32.f64 %0, %1;" : "=r"(r) : "l"(x));
  return r;
}
SENTINEL_DEVICE uint64_t f64_from_int32(uint32_t x) {
  uint64_t r;
  asm volatile("cvt.rn.f64.s32 %0, %1;" : "=l"(r) : "r"(x));
  return r;
}
SENTINEL_DEVICE uint32_t f32_from_f64(uint64_t x) {
  uint32_t r;
  asm volatile("cvt.rn.f32.f64 %0, %1;" : "=r"(r) : "l"(x));
  return r;
}
SENTINEL_DEVICE uint64_t f64_from_f32(uint32_t x) {
  uint64_t r;
  asm volatile("cvt.f64.f32 %0, %1;" : "=l"(r) : "r"(x));
  return r;
}

// ---- two binary16 or two bfloat16 in one word, low half first

SENTINEL_DEVICE uint32_t fma_f16x2(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t r;
  asm volatile("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c));
  return r;
}
SENTINEL_DEVICE uint32_t add_f16x2(uint32_t a, uint32_t b) {
  uint32_t r;
  asm volatile("add.rn.f16x2 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));
  return r;
}
SENTINEL_DEVICE uint32_t mul_f16x2(uint32_t a, uint32_t b) {
  uint32_t r;
  asm volatile("mul.rn.f16x2 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));
  return r;
}
SENTINEL_DEVICE uint32_t fma_bf16x2(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t r;
  asm volatile("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c));
  return r;
}

// Before sm_90 a sum and a product are a fma: with 1 as the factor, with -0 as the addend, bit for bit the same.
SENTINEL_DEVICE uint32_t add_bf16x2(uint32_t a, uint32_t b) {
#if __CUDA_ARCH__ >= 900
  uint32_t r;
  asm volatile("add.rn.bf16x2 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));
  return r;
#else
  return fma_bf16x2(a, 0x3f803f80u, b);
#endif
}
SENTINEL_DEVICE uint32_t mul_bf16x2(uint32_t a, uint32_t b) {
#if __CUDA_ARCH__ >= 900
  uint32_t r;
  asm volatile("mul.rn.bf16x2 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));
  return r;
#else
  return fma_bf16x2(a, b, 0x80008000u);
#endif
}
SENTINEL_DEVICE uint32_t bf16x2_from_f32(uint32_t low, uint32_t high) {
  uint32_t r;
  asm volatile("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "r"(high), "r"(low));
  return r;
}

}  // namespace sentinel::device
