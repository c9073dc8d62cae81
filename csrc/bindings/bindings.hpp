// What module.cpp calls: one registration function per area, each in its own bind_<area>.cpp.
#pragma once

#include <pybind11/pybind11.h>

namespace lprfast::bindings {

void register_errors(pybind11::module_& module);
void register_core(pybind11::module_& module);
void register_image(pybind11::module_& module);
void register_ctc(pybind11::module_& module);
void register_ort(pybind11::module_& module);
void register_prior(pybind11::module_& module);
void register_vote(pybind11::module_& module);
void register_upscaler(pybind11::module_& module);
void register_pipeline(pybind11::module_& module);

}  // namespace lprfast::bindings
