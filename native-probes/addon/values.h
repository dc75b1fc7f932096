// Between JavaScript values and ours. A reader that returns false has thrown a TypeError that names the field.
#pragma once
#include <node_api.h>

#include <string>
#include <vector>

#include "../cpu/execution.h"

namespace sentinel {

class Arguments {
 public:
  // Reads the fields of one object argument; `call` begins every message.
  Arguments(napi_env env, std::string call, napi_value object) : env_(env), call_(std::move(call)), object_(object) {}

  // False, with a TypeError thrown, if it is not an object.
  bool is_object();
  bool has(const char* field);
  bool u32(const char* field, uint32_t most, uint32_t& out);
  // A finite number in [least, most].
  bool number(const char* field, double least, double most, double& out);
  bool boolean(const char* field, bool& out);
  // Whether the field is a number. Throws nothing.
  bool is_number(const char* field);
  // Whether the field is this text. Throws nothing.
  bool is_text(const char* field, const char* text);
  // One of `count` names; `out` is its position.
  bool choice(const char* field, const char* const* names, uint32_t count, uint32_t& out);
  // A text of 1 to `most` bytes.
  bool text(const char* field, size_t most, std::string& out);
  // Distinct integers, least..most of them.
  bool u32_list(const char* field, uint32_t least, uint32_t most, uint32_t highest, std::vector<uint32_t>& out);
  // A Uint32Array of exactly `count` words.
  bool words(const char* field, uint32_t count, std::vector<uint32_t>& out);
  // Throws and returns false.
  bool refuse(const std::string& field, const std::string& what);

 private:
  bool get(const char* field, napi_value& out);

  napi_env env_;
  std::string call_;
  napi_value object_;
};

// Whether a value is an integer in 0..most. Throws nothing.
bool integer_from(napi_env env, napi_value value, uint32_t most, uint32_t& out);

bool family_from(Arguments& arguments, Family& out);

// The first argument of a call, or undefined.
napi_value first_argument(napi_env env, napi_callback_info info);

class Values {
 public:
  explicit Values(napi_env env) : env_(env) {}

  napi_value null() const;
  napi_value number(double value) const;
  napi_value boolean(bool value) const;
  napi_value text(const std::string& value) const;
  napi_value text_or_null(const std::string& value) const { return value.empty() ? null() : text(value); }
  napi_value words(const std::vector<uint32_t>& value) const;
  napi_value list(const std::vector<napi_value>& items) const;

  struct Field {
    const char* name;
    napi_value value;
  };
  napi_value object(std::initializer_list<Field> fields) const;
  napi_value empty_object() const;
  void set(napi_value object, const std::string& name, napi_value value) const;

  napi_value place(const GpuPlace& place) const;
  napi_value mismatch(const Mismatch& mismatch) const;
  napi_value mismatch_or_null(bool has, const Mismatch& value) const { return has ? mismatch(value) : null(); }

 private:
  napi_env env_;
};

const char* name_of(Family family);

// Adds a function to the exports.
void export_function(napi_env env, napi_value exports, const char* name, napi_callback callback);

}  // namespace sentinel
