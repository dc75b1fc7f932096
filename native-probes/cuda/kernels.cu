// All kernels of one architecture: one translation unit, one cubin.
#include "kernels/bf16.h"
#include "kernels/fma16.h"
#include "kernels/fma32.h"
#include "kernels/fma64.h"
#include "kernels/int_aes.h"
