// The kernels of the test build for this CPU: <result_tap.h> is the one of test-build/cuda.
#define SENTINEL_KERNEL_SET kTest
#include <device.h>
#include <device_mma.h>

// In a namespace of their own: the linker takes two functions of one name, which the tap makes differ, for one.
namespace tapped {
namespace device = ::sentinel::device;
namespace fake = ::sentinel::fake;
}  // namespace tapped
#define sentinel tapped
#include "../../cuda/kernels.cu"
