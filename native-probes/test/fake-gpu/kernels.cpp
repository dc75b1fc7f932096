#include "kernels.h"

#include <map>

namespace sentinel::fake {
namespace {

std::map<std::string, const KernelEntry*>& table_of_kernels() {
  static std::map<std::string, const KernelEntry*> table;
  return table;
}

}  // namespace

KernelEntry::KernelEntry(const char* name, uint32_t threads, size_t argument_bytes, Kernel run)
    : name(name), threads(threads), argument_bytes(argument_bytes), run(run) {
  table_of_kernels()[name] = this;
}

const KernelEntry* find_kernel(const std::string& name) {
  const auto found = table_of_kernels().find(name);
  return found == table_of_kernels().end() ? nullptr : found->second;
}

}  // namespace sentinel::fake
