// What the test build's addon exports beyond the release's: inject, falsified, exactness, aes.
#pragma once
#include <node_api.h>

namespace sentinel {

void export_test_functions(napi_env env, napi_value exports);

}  // namespace sentinel
