// One line of JSON, field by field.
#pragma once
#include <stdint.h>
#include <stdio.h>

#include <string>
#include <vector>

namespace sentinel::measure {

class JsonLine {
 public:
  explicit JsonLine(const char* check) { text("check", check); }

  JsonLine& text(const char* name, const std::string& value) { return raw(name, quoted(value)); }
  JsonLine& number(const char* name, double value) {
    char digits[40];
    snprintf(digits, sizeof digits, "%.10g", value);
    return raw(name, digits);
  }
  JsonLine& flag(const char* name, bool value) { return raw(name, value ? "true" : "false"); }
  JsonLine& list(const char* name, const std::vector<std::string>& values) {
    std::string items;
    for (const std::string& value : values) items += (items.empty() ? "" : ",") + quoted(value);
    return raw(name, "[" + items + "]");
  }
  void print() const {
    printf("{%s}\n", fields_.c_str());
    fflush(stdout);
  }

 private:
  static std::string quoted(const std::string& value) {
    std::string out = "\"";
    for (char c : value) {
      if (c == '"' || c == '\\') out += '\\';
      if (static_cast<unsigned char>(c) >= ' ') out += c;
    }
    return out + "\"";
  }
  JsonLine& raw(const char* name, const std::string& value) {
    fields_ += (fields_.empty() ? "" : ",") + quoted(name) + ":" + value;
    return *this;
  }

  std::string fields_;
};

}  // namespace sentinel::measure
