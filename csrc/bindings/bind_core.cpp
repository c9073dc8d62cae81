#include <pybind11/stl.h>

#include "bindings/bindings.hpp"
#include "core/cpu.hpp"
#include "core/thread_pool.hpp"

namespace lprfast::bindings {

namespace py = pybind11;

void register_core(py::module_& module) {
  module.def("usable_processors", &usable_processors);
  module.def("best_isa", [] { return isa_name(best_isa()); });
  module.def("available_isas", [] {
    std::vector<std::string> names;
    for (const Isa isa : available_isas()) names.emplace_back(isa_name(isa));
    return names;
  });
}

}  // namespace lprfast::bindings
