// What a cubin (an ELF file for a GPU) says about itself, read as the driver would.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sentinel::fake {

struct CubinParameter {
  uint32_t offset, bytes;
};

struct CubinFunction {
  uint32_t registers = 0;
  uint32_t static_shared_bytes = 0;
  uint32_t most_threads = 0;  // .maxntid; 0: not said
  std::vector<CubinParameter> parameters;
};

struct Cubin {
  uint32_t abi_version = 0;
  uint32_t architecture = 0;       // 90 = sm_90
  bool architecture_only = false;  // sm_90a: this architecture and no other
  std::map<std::string, CubinFunction> functions;
  std::map<std::string, uint32_t> variables;  // bytes of those of the module that begin as zeros

  // Binaries run on the same major version and the same or a later minor one.
  bool runs_on(uint32_t major, uint32_t minor) const;
};

// Empty: this is no cubin.
std::optional<Cubin> parse_cubin(const void* image);

}  // namespace sentinel::fake
