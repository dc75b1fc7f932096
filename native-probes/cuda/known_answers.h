// The committed known answers on every SM, and whether a family's kernel fits the silicon at all.
#pragma once
#include "execution.h"

namespace sentinel::cuda {

struct GpuKnownAnswerReport {
  uint32_t sm = 0;
  KnownAnswerReport report;
};

// On all SMs. Empty where the family is not available or has no committed answers; but of one that the majority of the
// SMs decides, one execution, if it has enough of them.
std::vector<GpuKnownAnswerReport> run_gpu_known_answers(Gpu& gpu, const GpuFamily& family);

// Of every family.
std::vector<GpuKnownAnswerReport> run_gpu_known_answers(Gpu& gpu);

// Where no SM, or fewer than half of those that ran, reproduce a family's answers, that says nothing about any of them:
// their failures become kInconclusive. `reports` are of one family. Pure.
void qualify(std::vector<GpuKnownAnswerReport>& reports);

}  // namespace sentinel::cuda
