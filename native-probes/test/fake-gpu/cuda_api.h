// NVIDIA's driver API as far as the fake has it: types and names of its reference manual, written down here a second time
// so that the product's table of functions is tested against something that it did not make.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define FAKE_CUDA_API extern "C" __attribute__((visibility("default"))) int

struct CudaUuid {
  unsigned char bytes[16];
};

struct CudaKernelNodeParams {
  void* func;
  unsigned grid_x, grid_y, grid_z;
  unsigned block_x, block_y, block_z;
  unsigned shared_bytes;
  void** arguments;
  void** extra;
  void* kernel;
  void* context;
};
