// C++ errors to Python's: invalid_argument -> ValueError and bad_alloc -> MemoryError come with pybind11.
#include "core/error.hpp"

#include <cstring>

#include "bindings/bindings.hpp"

namespace lprfast::bindings {

namespace py = pybind11;

namespace {

// Alive as long as the process, like every type of an extension module.
PyObject* model_error = nullptr;
PyObject* ort_error = nullptr;

// A message may quote a damaged model: bytes that are not UTF-8 must not raise an error of their own.
void set_error(PyObject* type, const char* message) {
  PyObject* text = PyUnicode_DecodeUTF8(message, static_cast<Py_ssize_t>(std::strlen(message)), "replace");
  if (!text) return;  // out of memory, which Python has noted
  PyErr_SetObject(type, text);
  Py_DECREF(text);
}

void translate(std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const ModelError& e) {
    set_error(model_error, e.what());
  } catch (const OrtError& e) {
    set_error(ort_error, e.what());
  }
}

}  // namespace

void register_errors(py::module_& module) {
  model_error = py::exception<ModelError>(module, "ModelError", PyExc_ValueError).release().ptr();
  ort_error = py::exception<OrtError>(module, "OrtError", PyExc_RuntimeError).release().ptr();
  py::register_exception_translator(&translate);
}

}  // namespace lprfast::bindings
