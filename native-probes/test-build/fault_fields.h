// The fields of a fault as JavaScript gives them: an object, or the text of a command line such as
// "core=1,family=fma32,rate=0.01" (several cores: core=1+3; names as in the object, or with hyphens).
#pragma once
#include "../addon/values.h"

namespace sentinel {

// The object that the text stands for; null, with a TypeError thrown, if it stands for none.
napi_value fault_from_text(napi_env env, napi_value text);

// False, with a TypeError thrown, if the object has a field that no fault has.
bool only_known_fields(napi_env env, Arguments& arguments, napi_value object);

}  // namespace sentinel
