// The product's kernels for this CPU: <device.h> is the one of this folder.
#include "../../cuda/kernels.cu"
