#include "faults.h"

#include <algorithm>
#include <array>

namespace sentinel::fake {
namespace {

const std::vector<std::string>& fields_of(const std::string& kind) {
  static const std::map<std::string, std::vector<std::string>> fields = {
      {"call", {"call", "error", "sticky", "hang", "abort"}},
      {"hang", {}},
      {"stale", {"buffer"}},
      {"arguments", {"shift"}},
      {"absent", {"sm"}},
      {"smid", {"sm", "says", "reads"}},
      {"claim", {}},
      {"wrong", {"sm", "warp", "subpartition", "lane", "unit", "xor", "every"}},
      {"copy", {"direction", "buffer", "byte", "bit"}},
      {"memory", {"buffer", "byte", "bit", "stuck"}},
      {"shared", {"sm", "byte", "bit", "stuck"}},
  };
  const auto found = fields.find(kind);
  if (found == fields.end()) give_up("fake-gpu.conf: no fault of kind \"" + kind + "\"");
  return found->second;
}

void check_fields(const Entry& entry) {
  const std::vector<std::string>& known = fields_of(entry.text("kind", ""));
  for (const std::string& key : entry.keys()) {
    const auto common = {"kind", "device", "kernel", "after", "from", "to"};
    if (std::find(common.begin(), common.end(), key) != common.end()) continue;
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      give_up("fake-gpu.conf: a fault of kind " + entry.text("kind", "") + " has no field \"" + key + "\"");
    }
  }
}

}  // namespace

Fault::Fault(const Entry& entry)
    : entry_(entry),
      kind_(entry.text("kind", "")),
      armed_(!entry.has("after")),
      from_(entry.number("from", 1)),
      to_(entry.number("to", UINT64_MAX)) {
  check_fields(entry);
}

void Fault::see_call(const std::string& function) { armed_ = armed_ || entry_.text("after", "") == function; }

bool Fault::occurs() {
  if (!armed_) return false;
  occasions_++;
  return occasions_ >= from_ && occasions_ <= to_;
}

bool Fault::concerns_device(uint32_t ordinal) const { return matches("device", ordinal); }

bool Fault::concerns_kernel(const std::string& name) const { return entry_.text("kernel", name) == name; }

bool Fault::matches(const char* key, uint32_t value) const { return entry_.number(key, value) == value; }

std::vector<Fault> faults_of(const Config& config) {
  std::vector<Fault> faults;
  for (const Entry& entry : config.of("fault")) faults.emplace_back(entry);
  return faults;
}

Unit unit_named(const std::string& name) {
  static const std::array<const char*, static_cast<size_t>(Unit::kCount)> names = {
      "f32", "f64", "f16", "bf16", "sfu", "tensor", "integer", "shuffle", "shared", "memory"};
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) give_up("fake-gpu.conf: no unit \"" + name + "\"");
  return static_cast<Unit>(found - names.begin());
}

}  // namespace sentinel::fake
