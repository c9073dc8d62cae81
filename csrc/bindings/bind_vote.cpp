#include "bindings/bindings.hpp"

namespace lprfast::bindings {

namespace py = pybind11;

void register_vote(py::module_&) {}

}  // namespace lprfast::bindings
