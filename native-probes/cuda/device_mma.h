// Matrix multiplications of a warp, and on sm_90a of a warpgroup: registers of each lane as PTX lays fragments out
// (mma.sync: A row-major, B column-major, D = A B + C). All lanes of the warp call, with d and c of any bits.
//
// With row = lane / 4 and q = lane mod 4: a[0] and a[2] are of row `row`, a[1] and a[3] of row + 8, b of column `row`; c and
// d are of columns 2q and 2q + 1, [0] [1] in row `row`, [2] [3] in row + 8. Lane q of a quad holds the same k of A in
// a[0], a[1] as of B in b[0], and of A in a[2], a[3] as of B in b[1].
#pragma once
#include <device.h>

// mma.sync of e4m3 is one instruction only on these; sm_90a and sm_100a convert to binary16 and multiply that instead.
#if __CUDA_ARCH__ == 890 || __CUDA_ARCH__ >= 1200
#define SENTINEL_FP8_BY_WARP
#elif defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define SENTINEL_FP8_BY_WARPGROUP
#endif

namespace sentinel::device {

using WarpMma = void(uint32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], const uint32_t (&c)[4]);

#define SENTINEL_MMA(name, shape_and_types)                                                                \
  SENTINEL_DEVICE void name(uint32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],              \
                            const uint32_t (&c)[4]) {                                                      \
    asm volatile("mma.sync.aligned." shape_and_types                                                       \
                 " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %11, %12, %13};"                    \
                 : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])                                          \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "r"(c[0]), "r"(c[1]), \
                   "r"(c[2]), "r"(c[3]));                                                                  \
  }

// 16 x 16 by 16 x 8: two elements to a register, the lower k in the lower half.
SENTINEL_MMA(mma_f16, "m16n8k16.row.col.f32.f16.f16.f32")
SENTINEL_MMA(mma_bf16, "m16n8k16.row.col.f32.bf16.bf16.f32")
// 16 x 8 by 8 x 8: a binary32 to a register, of which the 13 low bits are zero.
SENTINEL_MMA(mma_tf32, "m16n8k8.row.col.f32.tf32.tf32.f32")
// 16 x 32 by 32 x 8: four bytes to a register; accumulators are 32-bit integers that wrap.
SENTINEL_MMA(mma_s8, "m16n8k32.row.col.s32.s8.s8.s32")
#if defined(SENTINEL_FP8_BY_WARP)
SENTINEL_MMA(mma_e4m3, "m16n8k32.row.col.f32.e4m3.e4m3.f32")
#endif
#undef SENTINEL_MMA

// As mma_f16 with binary16 accumulators, two to a register: c[0], d[0] of row `row`, c[1], d[1] of row + 8.
SENTINEL_DEVICE void mma_f16_narrow(uint32_t (&d)[2], const uint32_t (&a)[4], const uint32_t (&b)[2],
                                    const uint32_t (&c)[2]) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%0, %1}, {%2, %3, %4, %5}, {%6, %7}, {%8, %9};"
               : "=r"(d[0]), "=r"(d[1])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "r"(c[0]), "r"(c[1]));
}

// 8 x 4 by 4 x 8 in binary64: a of (row, q), b of (q, column `row`), c and d of row `row`, columns 2q and 2q + 1.
SENTINEL_DEVICE void mma_f64(uint64_t (&d)[2], uint64_t a, uint64_t b, const uint64_t (&c)[2]) {
  asm volatile(
      "{ .reg .f64 a, b, c0, c1, d0, d1; mov.b64 a, %2; mov.b64 b, %3; mov.b64 c0, %4; mov.b64 c1, %5; "
      "mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {d0, d1}, {a}, {b}, {c0, c1}; "
      "mov.b64 %0, d0; mov.b64 %1, d1; }"
      : "=l"(d[0]), "=l"(d[1])
      : "l"(a), "l"(b), "l"(c[0]), "l"(c[1]));
}

#if defined(SENTINEL_FP8_BY_WARPGROUP)

// ---- four warps, the first a multiple of four: all their 128 threads call

// Waits for the others of the warpgroup; what they wrote to shared memory before is there.
SENTINEL_DEVICE void sync_warpgroup() {
  asm volatile("bar.sync %0, 128;" ::"r"(1 + threadIdx.x / 128) : "memory");
}

// As sync_warpgroup; besides, matrix multiplications may read what was written.
SENTINEL_DEVICE void publish_to_warpgroup_mma() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  sync_warpgroup();
}

// Descriptor of a matrix of 32-byte rows in shared memory, 16-byte aligned: blocks of 8 rows x 16 bytes, one row after the
// other; the two blocks of 8 rows follow each other, then those of the next 8 rows. No swizzle.
SENTINEL_DEVICE uint64_t matrix_in_shared(const uint32_t* matrix) {
  const uint64_t address = static_cast<uint32_t>(__cvta_generic_to_shared(matrix)) & 0x3ffffu;
  constexpr uint64_t along_k = 128, along_rows = 256;  // bytes from block to block
  return address >> 4 | along_k >> 4 << 16 | along_rows >> 4 << 32;
}

// d += A B: A has 64 rows of 32 e4m3, of which each warp gets 16 as mma_e4m3 would lay them out; B is 8 columns of 32.
SENTINEL_DEVICE void warpgroup_mma_e4m3(uint32_t (&d)[4], const uint32_t* a, const uint32_t* b) {
  const uint64_t a_matrix = matrix_in_shared(a), b_matrix = matrix_in_shared(b);
  asm volatile("" : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3]));  // accumulators are set before the fence
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
  asm volatile("wgmma.mma_async.sync.aligned.m64n8k32.f32.e4m3.e4m3 {%0, %1, %2, %3}, %4, %5, 1, 1, 1;"
               : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
               : "l"(a_matrix), "l"(b_matrix));
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
  asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
  asm volatile("" : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3]));  // and read after the wait
}

#endif

}  // namespace sentinel::device
