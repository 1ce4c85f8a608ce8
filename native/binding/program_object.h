// The JavaScript classes Program and Run.
#pragma once

#include <node_api.h>

#include <memory>

#include "binding/instance.h"
#include "program/run.h"

namespace lowbit::binding {

// Defines the classes for this environment.
napi_value DefineClasses(napi_env env, Instance* instance);

// createProgram(program, constants, options)
napi_value CreateProgram(napi_env env, napi_callback_info info);

}  // namespace lowbit::binding
