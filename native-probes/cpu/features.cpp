#include "features.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#endif

namespace sentinel {
namespace {

#if defined(__x86_64__)

// Register state that the operating system saves, as XCR0 lists it: xmm and ymm; besides them mask registers and zmm.
constexpr uint32_t kYmmState = 0x06;
constexpr uint32_t kZmmState = 0xe6;
constexpr uint32_t kTileState = 0x60000;

// What the compiler may use in an object that is compiled for AVX-512.
constexpr uint32_t kAvx512Subsets = bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;

// Tiles are larger than what a process gets unasked (Linux 5.16: Documentation/arch/x86/xstate.rst).
bool may_use_tiles() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

uint32_t enabled_state() {
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

void read_names(CpuFeatures& out) {
  uint32_t r[4] = {};
  __get_cpuid(0, &r[0], &r[1], &r[3], &r[2]);
  memcpy(out.vendor, &r[1], 12);
  for (uint32_t leaf = 0; leaf < 3; leaf++) {
    if (__get_cpuid(0x80000002u + leaf, &r[0], &r[1], &r[2], &r[3]) != 0) memcpy(out.model + 16 * leaf, r, 16);
  }
}

CpuFeatures read_features() {
  CpuFeatures out{};
  read_names(out);
  uint32_t a, b, c = 0, d;
  __get_cpuid(1, &a, &b, &c, &d);
  out.hypervisor = (c >> 31 & 1) != 0;
  out.aes = (c & bit_AES) != 0;
  out.popcnt = (c & bit_POPCNT) != 0;
  out.sse41 = (c & bit_SSE4_1) != 0;
  const uint32_t state = (c & bit_OSXSAVE) != 0 && (c & bit_AVX) != 0 ? enabled_state() : 0;
  const bool wide = (state & kYmmState) == kYmmState;
  out.fma = wide && (c & bit_FMA) != 0;
  out.f16c = wide && (c & bit_F16C) != 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0) {
    out.avx2 = wide && (b & bit_AVX2) != 0;
    const bool avx512 = (state & kZmmState) == kZmmState && (b & kAvx512Subsets) == kAvx512Subsets;
    out.avx512_fp16 = avx512 && (d & bit_AVX512FP16) != 0;
    constexpr uint32_t kAmx = bit_AMX_TILE | bit_AMX_BF16 | bit_AMX_INT8;
    out.amx = avx512 && (state & kTileState) == kTileState && (d & kAmx) == kAmx && may_use_tiles();
    if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0) out.avx512_bf16 = avx512 && (a & bit_AVX512BF16) != 0;
  }
  return out;
}

#else

CpuFeatures read_features() {
  CpuFeatures out{};
  memcpy(out.vendor, "unknown", 8);
  memcpy(out.model, "unknown", 8);
  return out;
}

#endif

}  // namespace

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = read_features();
  return features;
}

const char* missing_for(Family family) {
#if defined(__x86_64__)
  const CpuFeatures& cpu = cpu_features();
  if (!cpu.avx2) return "AVX2";
  switch (family) {
    case Family::kFma32: return !cpu.fma ? "FMA3" : !cpu.f16c ? "F16C" : nullptr;
    case Family::kFma64: return !cpu.fma ? "FMA3" : nullptr;
    case Family::kFma16: return !cpu.avx512_fp16 ? "AVX512-FP16" : nullptr;
    case Family::kCpuBf16: return !cpu.avx512_bf16 ? "AVX512-BF16" : nullptr;
    case Family::kCpuLibm:
    case Family::kCpuReg:
    case Family::kCpuMem: return nullptr;
    case Family::kIntAes: return !cpu.aes ? "AES-NI" : !cpu.popcnt ? "POPCNT" : nullptr;
    default: return "kernels for this family";
  }
#else
  (void)family;
  return "kernels for this instruction set";
#endif
}

std::vector<uint32_t> allowed_cpus() {
  std::vector<uint32_t> cpus;
  const size_t bytes = CPU_ALLOC_SIZE(kMostCpus);
  cpu_set_t* set = CPU_ALLOC(kMostCpus);
  if (set == nullptr) return cpus;
  CPU_ZERO_S(bytes, set);
  if (sched_getaffinity(getpid(), bytes, set) == 0) {
    for (uint32_t cpu = 0; cpu < kMostCpus; cpu++) {
      if (CPU_ISSET_S(cpu, bytes, set)) cpus.push_back(cpu);
    }
  }
  CPU_FREE(set);
  return cpus;
}

}  // namespace sentinel
