// C++ errors to Python's: invalid_argument -> ValueError and bad_alloc -> MemoryError come with pybind11.
#include "core/error.hpp"

#include "bindings/bindings.hpp"

namespace lprfast::bindings {

namespace py = pybind11;

void register_errors(py::module_& module) {
  py::register_exception<ModelError>(module, "ModelError", PyExc_ValueError);
  py::register_exception<OrtError>(module, "OrtError", PyExc_RuntimeError);
}

}  // namespace lprfast::bindings
