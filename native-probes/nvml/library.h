// The installed NVML, if there is one. It is looked for when it is first needed; nothing here links to it.
#pragma once
#include <string>

#include "api.h"

namespace sentinel {
namespace nvml {

// Why a call gave no answer; code kSuccess = it gave one.
struct Error {
  std::string call;
  Return code = kSuccess;

  explicit operator bool() const { return code != kSuccess; }
};

// Name of a return code without NVML_ERROR_; the number where it has none here.
std::string name_of(Return code);

// Loads the library and initialises it, unless that was done before; `api` is null after an error. The next call tries again.
struct Opened {
  const Api* api = nullptr;
  Error error;
};
Opened open_library();

// Whether nothing more can be read of the device that answered so.
bool is_gone(Return code);

// Reads a text of at most 95 bytes; "" where the device does not offer it.
template <typename Function, typename... Arguments>
std::string read_text(Function function, Arguments... arguments) {
  char text[96] = "";
  if (function == nullptr || function(arguments..., text, sizeof text) != kSuccess) return "";
  text[sizeof text - 1] = '\0';
  return text;
}

}  // namespace nvml
}  // namespace sentinel
