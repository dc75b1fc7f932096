// The test build's kernels: another <embedded_kernels.inc>.
#include "../../cuda/kernels.cpp"
