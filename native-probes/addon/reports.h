// What JavaScript sees of an execution and of known answers, on CPUs and on GPUs.
#pragma once
#include "values.h"

namespace sentinel {

// Names that are separated by spaces.
napi_value instructions_of(const Values& values, const std::string& names);

napi_value report_value(const Values& values, const Request& request, const Report& report);
napi_value known_answer_value(const Values& values, const KnownAnswerReport& report);

}  // namespace sentinel
