#include "kernels.h"

#include <map>

namespace sentinel::fake {
namespace {

using Name = std::pair<KernelSet, std::string>;

std::map<Name, const KernelEntry*>& table_of_kernels() {
  static std::map<Name, const KernelEntry*> table;
  return table;
}

}  // namespace

KernelEntry::KernelEntry(KernelSet set, const char* name, uint32_t threads, size_t argument_bytes, Kernel run)
    : name(name), threads(threads), argument_bytes(argument_bytes), run(run) {
  table_of_kernels()[{set, name}] = this;
}

const KernelEntry* find_kernel(KernelSet set, const std::string& name) {
  const auto found = table_of_kernels().find({set, name});
  return found == table_of_kernels().end() ? nullptr : found->second;
}

}  // namespace sentinel::fake
