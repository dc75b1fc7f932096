// What this machine is and what it can run.
#pragma once
#include <vector>

#include "../core/families.h"

namespace sentinel {

// Of the CPU and, where there are registers to save, of the operating system too.
struct CpuFeatures {
  char vendor[13];
  char model[49];
  bool hypervisor;
  bool avx2, fma, f16c, aes, popcnt, sse41;
  bool avx512_fp16, avx512_bf16;
  bool amx;  // bfloat16 and byte tiles, and the kernel lets this process have them
};

const CpuFeatures& cpu_features();

struct FamilyInfo {
  Family family;
  const char* name;
  const char* instructions;  // separated by spaces
};

constexpr FamilyInfo kFamilies[] = {
    {Family::kFma32, "fma32", "vfmadd vaddps vmulps vcvtps2dq vcvtdq2ps vcvtps2ph vcvtph2ps"},
    {Family::kIntAes, "int_aes",
     "aesenc aesenclast aesdec aesdeclast aesimc aeskeygenassist vpmulld vpsllvd vpsrlvd vpshufb imul mul popcnt rol"},
    {Family::kFma64, "fma64", "vfmadd vaddpd vmulpd vcvtpd2dq vcvtdq2pd vcvtpd2ps vcvtps2pd"},
    {Family::kCpuReg, "cpu_reg", "vmovdqa vpxor"},
    {Family::kCpuMem, "cpu_mem", "vmovdqu clflush mfence"},
    {Family::kFma16, "fma16", "vfmaddph vaddph vmulph"},
    {Family::kCpuLibm, "cpu_libm", "exp exp2 log log2 sin cos tan tanh pow vsqrtpd vdivpd vsqrtps vdivps"},
    {Family::kCpuBf16, "cpu_bf16", "vdpbf16ps tdpbf16ps tdpbssd tdpbsud tdpbusd tdpbuud"},
};

constexpr bool all_have_shapes() {
  for (const FamilyInfo& info : kFamilies) {
    if (shape_of(info.family).iterations == 0) return false;
  }
  return true;
}
static_assert(all_have_shapes(), "a family without a CPU shape is no family of a CPU");

// Null when the family can run here, else what is missing, for people.
const char* missing_for(Family family);

// OS logical CPU numbers of the process's affinity mask, ascending. Highest number considered: kMostCpus - 1.
constexpr uint32_t kMostCpus = 8192;
std::vector<uint32_t> allowed_cpus();

}  // namespace sentinel
