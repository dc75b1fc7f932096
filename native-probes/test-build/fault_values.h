// A fault as JavaScript describes it, checked.
#pragma once
#include "../addon/values.h"
#include "fault_plan.h"

namespace sentinel {

// False, with a TypeError thrown that names the field, if the arguments describe no fault that can act.
bool fault_from(Arguments& arguments, injection::FaultSpec& out);

}  // namespace sentinel
