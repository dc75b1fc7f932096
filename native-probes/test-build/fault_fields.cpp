#include "fault_fields.h"

#include <ctype.h>
#include <stdlib.h>

namespace sentinel {
namespace {

enum class Kind { kCores, kText, kNumber, kBoolean };

constexpr struct {
  const char* name;
  const char* text_name;
  Kind kind;
} kFields[] = {
    {"cores", "core", Kind::kCores},
    {"gpu", "gpu", Kind::kNumber},
    {"sm", "sm", Kind::kNumber},
    {"subPartition", "sub-partition", Kind::kNumber},
    {"family", "family", Kind::kText},
    {"rate", "rate", Kind::kNumber},
    {"rateExec", "rate-exec", Kind::kNumber},
    {"site", "site", Kind::kText},
    {"effect", "effect", Kind::kText},
    {"mask", "mask", Kind::kNumber},
    {"dataMask", "data-mask", Kind::kNumber},
    {"dataValue", "data-value", Kind::kNumber},
    {"lane", "lane", Kind::kNumber},
    {"onset", "onset", Kind::kNumber},
    {"heat", "heat", Kind::kNumber},
    {"heatReference", "heat-reference", Kind::kNumber},
    {"heatFile", "heat-file", Kind::kText},
    {"clockAbove", "clock-above", Kind::kNumber},
    {"clockFile", "clock-file", Kind::kText},
    {"burstEnter", "burst-enter", Kind::kNumber},
    {"burstLeave", "burst-leave", Kind::kNumber},
    {"preset", "preset", Kind::kText},
    {"seed", "seed", Kind::kNumber},
    {"same", "same", Kind::kBoolean},
};

std::string field_names(bool as_text) {
  std::string names;
  for (const auto& field : kFields)
    names += (names.empty() ? "" : ", ") + std::string(as_text ? field.text_name : field.name);
  return names;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// Decimal or hexadecimal; what is no number stays text, and the field's own check refuses it.
napi_value number_or_text(const Values& values, const std::string& text) {
  char* end = nullptr;
  const bool hexadecimal = text.rfind("0x", 0) == 0;
  const double number =
      hexadecimal ? static_cast<double>(strtoull(text.c_str(), &end, 16)) : strtod(text.c_str(), &end);
  const bool whole = !text.empty() && isdigit(static_cast<unsigned char>(text[0])) != 0 && *end == '\0';
  return whole ? values.number(number) : values.text(text);
}

napi_value value_of(const Values& values, Kind kind, const std::string& text) {
  if (kind == Kind::kNumber) return number_or_text(values, text);
  if (kind == Kind::kBoolean && (text == "true" || text == "false")) return values.boolean(text == "true");
  if (kind != Kind::kCores || text == "all") return values.text(text);
  std::vector<napi_value> cores;
  for (const std::string& core : split(text, '+')) cores.push_back(number_or_text(values, core));
  return values.list(cores);
}

}  // namespace

napi_value fault_from_text(napi_env env, napi_value text) {
  char buffer[512];
  size_t length = 0;
  Arguments arguments(env, "inject", text);
  napi_get_value_string_utf8(env, text, buffer, sizeof buffer, &length);
  const Values values(env);
  const napi_value object = values.object({});
  for (const std::string& part : split(std::string(buffer, length), ',')) {
    const size_t equals = part.find('=');
    const std::string name = part.substr(0, equals);
    bool known = false;
    for (const auto& field : kFields) {
      if (equals == std::string::npos || (name != field.text_name && name != field.name)) continue;
      napi_set_named_property(env, object, field.name, value_of(values, field.kind, part.substr(equals + 1)));
      known = true;
    }
    if (!known)
      return arguments.refuse("\"" + part + "\"", "expected NAME=VALUE, NAME one of " + field_names(true)), nullptr;
  }
  return object;
}

bool only_known_fields(napi_env env, Arguments& arguments, napi_value object) {
  napi_value names;
  uint32_t count = 0;
  if (napi_get_property_names(env, object, &names) != napi_ok || napi_get_array_length(env, names, &count) != napi_ok) {
    return arguments.refuse("argument", "expected an object");
  }
  for (uint32_t k = 0; k < count; k++) {
    napi_value item;
    char name[64];
    size_t length = 0;
    bool known = false;
    if (napi_get_element(env, names, k, &item) == napi_ok &&
        napi_get_value_string_utf8(env, item, name, sizeof name, &length) == napi_ok) {
      for (const auto& field : kFields) known = known || std::string(name, length) == field.name;
    }
    if (!known) return arguments.refuse(std::string(name, length), "expected one of " + field_names(false));
  }
  return true;
}

}  // namespace sentinel
