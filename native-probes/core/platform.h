// What host and device compilers name differently. Everything in core/ is C++17, <stdint.h> only, integer arithmetic
// only: the same source makes the golden on a host (without a vector or floating-point instruction) and, compiled for
// it, the unit's side of a device that has no instruction of its own for a family.
#pragma once
#include <stdint.h>

#if defined(__CUDACC__)
#define SENTINEL_CORE static __host__ __device__ __forceinline__
#define SENTINEL_CORE_MEMBER __host__ __device__ __forceinline__
// Before a loop that indexes an array: unrolled, the array stays in registers. A host compiler judges for itself.
#define SENTINEL_UNROLLED _Pragma("unroll")
#else
#define SENTINEL_CORE static inline
#define SENTINEL_CORE_MEMBER inline
#define SENTINEL_UNROLLED
#endif

namespace sentinel {

// Of g++, clang++, nvcc; NVRTC wants --device-int128. Neither products nor shifts of it call a library.
using uint128_t = unsigned __int128;

// Zero bits above the highest set bit. x must not be 0.
SENTINEL_CORE int leading_zeros32(uint32_t x) {
#if defined(__CUDA_ARCH__)
  return __clz(static_cast<int>(x));
#else
  return __builtin_clz(x);
#endif
}

SENTINEL_CORE int leading_zeros64(uint64_t x) {
#if defined(__CUDA_ARCH__)
  return __clzll(static_cast<long long>(x));
#else
  return __builtin_clzll(x);
#endif
}

SENTINEL_CORE int leading_zeros128(uint128_t x) {
  const uint64_t high = static_cast<uint64_t>(x >> 64);
  return high != 0 ? leading_zeros64(high) : 64 + leading_zeros64(static_cast<uint64_t>(x));
}

SENTINEL_CORE uint32_t rotate_left32(uint32_t x, uint32_t n) { return (x << (n & 31)) | (x >> ((32 - n) & 31)); }

SENTINEL_CORE uint64_t rotate_left64(uint64_t x, uint32_t n) { return (x << (n & 63)) | (x >> ((64 - n) & 63)); }

}  // namespace sentinel
