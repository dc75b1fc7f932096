#include "values.h"

#include <math.h>
#include <string.h>

#include "../cpu/features.h"
#include "../cuda/gpu_families.h"

namespace sentinel {
namespace {

std::string integer_range(uint32_t most) { return "expected an integer from 0 to " + std::to_string(most); }

bool type_is(napi_env env, napi_value value, napi_valuetype type) {
  napi_valuetype actual = napi_undefined;
  return napi_typeof(env, value, &actual) == napi_ok && actual == type;
}

}  // namespace

bool integer_from(napi_env env, napi_value value, uint32_t most, uint32_t& out) {
  double number = 0;
  if (!type_is(env, value, napi_number) || napi_get_value_double(env, value, &number) != napi_ok) return false;
  if (!(number >= 0 && number <= most) || number != floor(number)) return false;
  out = static_cast<uint32_t>(number);
  return true;
}

bool Arguments::refuse(const std::string& field, const std::string& what) {
  bool pending = false;  // an exception of a getter stays the one that is reported
  napi_is_exception_pending(env_, &pending);
  if (!pending) napi_throw_type_error(env_, "ERR_INVALID_ARG_VALUE", (call_ + ": " + field + ": " + what).c_str());
  return false;
}

bool Arguments::is_object() {
  if (type_is(env_, object_, napi_object)) return true;
  return refuse("argument", "expected an object");
}

bool Arguments::get(const char* field, napi_value& out) {
  return napi_get_named_property(env_, object_, field, &out) == napi_ok;
}

bool Arguments::has(const char* field) {
  napi_value value;
  return get(field, value) && !type_is(env_, value, napi_undefined) && !type_is(env_, value, napi_null);
}

bool Arguments::u32(const char* field, uint32_t most, uint32_t& out) {
  napi_value value;
  return (get(field, value) && integer_from(env_, value, most, out)) || refuse(field, integer_range(most));
}

bool Arguments::number(const char* field, double least, double most, double& out) {
  napi_value value;
  if (get(field, value) && type_is(env_, value, napi_number) && napi_get_value_double(env_, value, &out) == napi_ok &&
      out >= least && out <= most) {
    return true;
  }
  char range[96];
  snprintf(range, sizeof range, "expected a number from %g to %g", least, most);
  return refuse(field, range);
}

bool Arguments::boolean(const char* field, bool& out) {
  napi_value value;
  return (get(field, value) && napi_get_value_bool(env_, value, &out) == napi_ok) ||
         refuse(field, "expected a boolean");
}

bool Arguments::choice(const char* field, const char* const* names, uint32_t count, uint32_t& out) {
  napi_value value;
  char text[32];
  size_t length = 0;
  if (get(field, value) && napi_get_value_string_utf8(env_, value, text, sizeof text, &length) == napi_ok) {
    for (out = 0; out < count; out++) {
      if (strlen(names[out]) == length && memcmp(names[out], text, length) == 0) return true;
    }
  }
  std::string expected = "expected one of";
  for (uint32_t k = 0; k < count; k++) expected += std::string(k == 0 ? " " : ", ") + names[k];
  return refuse(field, expected);
}

bool Arguments::text(const char* field, size_t most, std::string& out) {
  napi_value value;
  size_t length = 0;
  if (!get(field, value) || !type_is(env_, value, napi_string) ||
      napi_get_value_string_utf8(env_, value, nullptr, 0, &length) != napi_ok || length == 0 || length > most) {
    return refuse(field, "expected a text of 1 to " + std::to_string(most) + " bytes");
  }
  out.assign(length, '\0');
  return napi_get_value_string_utf8(env_, value, &out[0], length + 1, &length) == napi_ok;
}

bool Arguments::is_number(const char* field) {
  napi_value value;
  return get(field, value) && type_is(env_, value, napi_number);
}

bool Arguments::is_text(const char* field, const char* text) {
  napi_value value;
  char buffer[32];
  size_t length = 0;
  return get(field, value) && napi_get_value_string_utf8(env_, value, buffer, sizeof buffer, &length) == napi_ok &&
         std::string(buffer, length) == text;
}

bool Arguments::u32_list(const char* field, uint32_t least, uint32_t most, uint32_t highest,
                         std::vector<uint32_t>& out) {
  napi_value list;
  bool is_array = false;
  uint32_t length = 0;
  if (!get(field, list) || napi_is_array(env_, list, &is_array) != napi_ok || !is_array ||
      napi_get_array_length(env_, list, &length) != napi_ok || length < least || length > most) {
    return refuse(field, "expected an array of " + std::to_string(least) + " to " + std::to_string(most) + " integers");
  }
  std::vector<bool> seen(size_t{highest} + 1);
  for (uint32_t k = 0; k < length; k++) {
    napi_value item;
    uint32_t value = 0;
    const std::string name = std::string(field) + "[" + std::to_string(k) + "]";
    if (napi_get_element(env_, list, k, &item) != napi_ok || !integer_from(env_, item, highest, value)) {
      return refuse(name, integer_range(highest));
    }
    if (seen[value]) return refuse(name, std::to_string(value) + " is listed twice");
    seen[value] = true;
    out.push_back(value);
  }
  return true;
}

bool Arguments::words(const char* field, uint32_t count, std::vector<uint32_t>& out) {
  napi_value value;
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  bool is_typed_array = false;
  if (!get(field, value) || napi_is_typedarray(env_, value, &is_typed_array) != napi_ok || !is_typed_array ||
      napi_get_typedarray_info(env_, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint32_array || length != count) {
    return refuse(field, "expected a Uint32Array of " + std::to_string(count) + " words");
  }
  const auto* words = static_cast<const uint32_t*>(data);
  out.assign(words, words + count);
  return true;
}

bool family_from(Arguments& arguments, Family& out) {
  constexpr uint32_t count = sizeof kFamilies / sizeof kFamilies[0];
  const char* names[count];
  for (uint32_t k = 0; k < count; k++) names[k] = kFamilies[k].name;
  uint32_t which = 0;
  if (!arguments.choice("family", names, count, which)) return false;
  out = kFamilies[which].family;
  return true;
}

napi_value first_argument(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value value = nullptr;
  napi_get_cb_info(env, info, &count, &value, nullptr, nullptr);
  return value;
}

napi_value Values::null() const {
  napi_value out = nullptr;
  napi_get_null(env_, &out);
  return out;
}

napi_value Values::number(double value) const {
  napi_value out = nullptr;
  napi_create_double(env_, value, &out);
  return out;
}

napi_value Values::boolean(bool value) const {
  napi_value out = nullptr;
  napi_get_boolean(env_, value, &out);
  return out;
}

napi_value Values::text(const std::string& value) const {
  napi_value out = nullptr;
  napi_create_string_utf8(env_, value.data(), value.size(), &out);
  return out;
}

napi_value Values::words(const std::vector<uint32_t>& value) const {
  napi_value buffer = nullptr, out = nullptr;
  void* data = nullptr;
  const size_t bytes = value.size() * sizeof(uint32_t);
  if (napi_create_arraybuffer(env_, bytes, &data, &buffer) != napi_ok) return nullptr;
  if (bytes != 0) memcpy(data, value.data(), bytes);
  napi_create_typedarray(env_, napi_uint32_array, value.size(), buffer, 0, &out);
  return out;
}

napi_value Values::list(const std::vector<napi_value>& items) const {
  napi_value out = nullptr;
  if (napi_create_array_with_length(env_, items.size(), &out) != napi_ok) return nullptr;
  for (uint32_t k = 0; k < items.size(); k++) napi_set_element(env_, out, k, items[k]);
  return out;
}

napi_value Values::empty_object() const {
  napi_value out = nullptr;
  napi_create_object(env_, &out);
  return out;
}

void Values::set(napi_value object, const std::string& name, napi_value value) const {
  napi_set_named_property(env_, object, name.c_str(), value);
}

napi_value Values::object(std::initializer_list<Field> fields) const {
  napi_value out = nullptr;
  if (napi_create_object(env_, &out) != napi_ok) return nullptr;
  for (const Field& field : fields) napi_set_named_property(env_, out, field.name, field.value);
  return out;
}

napi_value Values::place(const GpuPlace& place) const {
  return object({{"warp", number(place.warp)},
                 {"subPartition", number(place.sub_partition)},
                 {"withinIterations", number(place.within_iterations)},
                 {"address", place.has_address ? number(static_cast<double>(place.address)) : null()}});
}

napi_value Values::mismatch(const Mismatch& m) const {
  const napi_value out = object({{"lane", number(m.lane)},
                                 {"iteration", number(m.iteration)},
                                 {"round", number(m.round)},
                                 {"operands", words(m.operands)},
                                 {"expected", words(m.expected)},
                                 {"actual", words(m.actual)},
                                 {"expectedDigest", number(m.expected_digest)},
                                 {"actualDigest", number(m.actual_digest)},
                                 {"mismatchCount", number(m.mismatch_count)}});
  if (m.on_gpu) set(out, "gpu", place(m.gpu));
  return out;
}

const char* name_of(Family family) {
  for (const FamilyInfo& info : kFamilies) {
    if (info.family == family) return info.name;
  }
  return cuda::gpu_family_name(family);
}

void export_function(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function) == napi_ok) {
    napi_set_named_property(env, exports, name, function);
  }
}

}  // namespace sentinel
