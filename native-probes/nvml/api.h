// The part of NVML that is used here, declared from NVIDIA's NVML API reference: types with the layouts that the library has
// had since driver 535, and pointers to its functions. A function that the installed library lacks is null.
#pragma once
#include <stdint.h>

namespace sentinel {
namespace nvml {

using Return = int;
constexpr Return kSuccess = 0;
constexpr Return kUninitialized = 1;
constexpr Return kInvalidArgument = 2;
constexpr Return kNotSupported = 3;
constexpr Return kNotFound = 6;
constexpr Return kInsufficientSize = 7;
constexpr Return kTimeout = 10;
constexpr Return kLibraryNotFound = 12;
constexpr Return kFunctionNotFound = 13;
constexpr Return kGpuIsLost = 15;
constexpr Return kResetRequired = 16;

using Device = struct DeviceHandle*;
using EventSet = struct EventSetHandle*;

struct PciInfo {
  char legacy_bus_id[16];
  uint32_t domain, bus, device, pci_device_id, pci_subsystem_id;
  char bus_id[32];
};

struct Memory {
  unsigned long long total, free, used;
};

struct Utilization {
  uint32_t gpu, memory;  // percent of the last sampling period
};

enum ValueType : uint32_t {
  kDouble = 0,
  kUnsignedInt = 1,
  kUnsignedLong = 2,
  kUnsignedLongLong = 3,
  kSignedLongLong = 4,
  kSignedInt = 5,
  kUnsignedShort = 6,
};

struct FieldValue {
  uint32_t field, scope;
  long long timestamp, latency;
  ValueType type;
  Return result;  // to be checked before the value is looked at
  union {
    double as_double;
    int as_int;
    unsigned as_unsigned;
    unsigned long as_unsigned_long;
    unsigned long long as_unsigned_long_long;
    long long as_long_long;
    unsigned short as_unsigned_short;
  } value;
};
constexpr uint32_t kFieldMemoryTemperature = 82;
constexpr uint32_t kFieldPowerAverage = 185;  // mW
constexpr uint32_t kFieldPowerInstant = 186;  // mW

struct RowRemapperHistogram {
  uint32_t max, high, partial, low, none;  // memory banks by what is left for remapping
};

struct FabricInfo {
  uint32_t version;
  unsigned char cluster[16];
  Return status;  // of the registration, once the state is "completed"
  uint32_t clique;
  unsigned char state;
  uint32_t health;
};
constexpr uint32_t kFabricInfoVersion2 = sizeof(FabricInfo) | 2u << 24;

struct DeviceAttributes {
  uint32_t multiprocessors, copy_engines, decoders, encoders, jpeg_engines, ofa_engines;
  uint32_t gpu_instance_slices, compute_instance_slices;
  unsigned long long memory_mib;
};

struct EventData {
  Device device;
  unsigned long long type, data;
  uint32_t gpu_instance, compute_instance;  // kNoInstance if the event belongs to none
};
constexpr unsigned long long kEventXid = 8;
constexpr uint32_t kNoInstance = 0xffffffff;

static_assert(sizeof(PciInfo) == 68 && sizeof(Memory) == 24 && sizeof(FieldValue) == 40, "layouts of the library");
static_assert(sizeof(FabricInfo) == 36 && sizeof(DeviceAttributes) == 40 && sizeof(EventData) == 32,
              "layouts of the library");

constexpr uint32_t kTemperatureGpu = 0;
enum Clock : uint32_t { kClockGraphics = 0, kClockSm = 1, kClockMemory = 2 };
enum ErrorType : uint32_t { kCorrected = 0, kUncorrected = 1 };
enum CounterType : uint32_t { kVolatile = 0, kAggregate = 1 };
enum RetirementCause : uint32_t { kMultipleSingleBit = 0, kDoubleBit = 1 };
constexpr uint32_t kMostLinks = 18;

// X(name of the member, name in the library, parameters).
#define SENTINEL_NVML_FUNCTIONS(X)                                                                                   \
  X(init, nvmlInit_v2, (void))                                                                                       \
  X(driver_version, nvmlSystemGetDriverVersion, (char*, uint32_t))                                                   \
  X(cuda_version, nvmlSystemGetCudaDriverVersion_v2, (int*))                                                         \
  X(count, nvmlDeviceGetCount_v2, (uint32_t*))                                                                       \
  X(by_index, nvmlDeviceGetHandleByIndex_v2, (uint32_t, Device*))                                                    \
  X(by_uuid, nvmlDeviceGetHandleByUUID, (const char*, Device*))                                                      \
  X(uuid, nvmlDeviceGetUUID, (Device, char*, uint32_t))                                                              \
  X(name, nvmlDeviceGetName, (Device, char*, uint32_t))                                                              \
  X(serial, nvmlDeviceGetSerial, (Device, char*, uint32_t))                                                          \
  X(vbios, nvmlDeviceGetVbiosVersion, (Device, char*, uint32_t))                                                     \
  X(pci_info, nvmlDeviceGetPciInfo_v3, (Device, PciInfo*))                                                           \
  X(compute_capability, nvmlDeviceGetCudaComputeCapability, (Device, int*, int*))                                    \
  X(memory, nvmlDeviceGetMemoryInfo, (Device, Memory*))                                                              \
  X(temperature, nvmlDeviceGetTemperature, (Device, uint32_t, uint32_t*))                                            \
  X(power, nvmlDeviceGetPowerUsage, (Device, uint32_t*))                                                             \
  X(power_limit, nvmlDeviceGetEnforcedPowerLimit, (Device, uint32_t*))                                               \
  X(energy, nvmlDeviceGetTotalEnergyConsumption, (Device, unsigned long long*))                                      \
  X(clock, nvmlDeviceGetClockInfo, (Device, uint32_t, uint32_t*))                                                    \
  X(clock_event_reasons, nvmlDeviceGetCurrentClocksEventReasons, (Device, unsigned long long*))                      \
  X(clock_throttle_reasons, nvmlDeviceGetCurrentClocksThrottleReasons, (Device, unsigned long long*))                \
  X(utilization, nvmlDeviceGetUtilizationRates, (Device, Utilization*))                                              \
  X(field_values, nvmlDeviceGetFieldValues, (Device, int, FieldValue*))                                              \
  X(ecc_mode, nvmlDeviceGetEccMode, (Device, uint32_t*, uint32_t*))                                                  \
  X(ecc_total, nvmlDeviceGetTotalEccErrors, (Device, uint32_t, uint32_t, unsigned long long*))                       \
  X(ecc_counter, nvmlDeviceGetMemoryErrorCounter, (Device, uint32_t, uint32_t, uint32_t, unsigned long long*))       \
  X(remapped_rows, nvmlDeviceGetRemappedRows, (Device, uint32_t*, uint32_t*, uint32_t*, uint32_t*))                  \
  X(row_remapper, nvmlDeviceGetRowRemapperHistogram, (Device, RowRemapperHistogram*))                                \
  X(retired_pages, nvmlDeviceGetRetiredPages, (Device, uint32_t, uint32_t*, unsigned long long*))                    \
  X(retired_pending, nvmlDeviceGetRetiredPagesPendingStatus, (Device, uint32_t*))                                    \
  X(pcie_replays, nvmlDeviceGetPcieReplayCounter, (Device, uint32_t*))                                               \
  X(pcie_generation, nvmlDeviceGetCurrPcieLinkGeneration, (Device, uint32_t*))                                       \
  X(pcie_width, nvmlDeviceGetCurrPcieLinkWidth, (Device, uint32_t*))                                                 \
  X(pcie_most_generation, nvmlDeviceGetMaxPcieLinkGeneration, (Device, uint32_t*))                                   \
  X(pcie_most_width, nvmlDeviceGetMaxPcieLinkWidth, (Device, uint32_t*))                                             \
  X(nvlink_state, nvmlDeviceGetNvLinkState, (Device, uint32_t, uint32_t*))                                           \
  X(nvlink_errors, nvmlDeviceGetNvLinkErrorCounter, (Device, uint32_t, uint32_t, unsigned long long*))               \
  X(fabric_info, nvmlDeviceGetGpuFabricInfoV, (Device, FabricInfo*))                                                 \
  X(mig_mode, nvmlDeviceGetMigMode, (Device, uint32_t*, uint32_t*))                                                  \
  X(most_mig_devices, nvmlDeviceGetMaxMigDeviceCount, (Device, uint32_t*))                                           \
  X(mig_by_index, nvmlDeviceGetMigDeviceHandleByIndex, (Device, uint32_t, Device*))                                  \
  X(mig_parent, nvmlDeviceGetDeviceHandleFromMigDeviceHandle, (Device, Device*))                                     \
  X(gpu_instance, nvmlDeviceGetGpuInstanceId, (Device, uint32_t*))                                                   \
  X(compute_instance, nvmlDeviceGetComputeInstanceId, (Device, uint32_t*))                                           \
  X(attributes, nvmlDeviceGetAttributes_v2, (Device, DeviceAttributes*))                                             \
  X(event_set_create, nvmlEventSetCreate, (EventSet*))                                                               \
  X(event_set_wait, nvmlEventSetWait_v2, (EventSet, EventData*, uint32_t))                                           \
  X(event_set_free, nvmlEventSetFree, (EventSet))                                                                    \
  X(register_events, nvmlDeviceRegisterEvents, (Device, unsigned long long, EventSet))

struct Api {
#define SENTINEL_NVML_MEMBER(member, symbol, parameters) Return(*member) parameters = nullptr;
  SENTINEL_NVML_FUNCTIONS(SENTINEL_NVML_MEMBER)
#undef SENTINEL_NVML_MEMBER
};

}  // namespace nvml
}  // namespace sentinel
