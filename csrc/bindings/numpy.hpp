// From NumPy arrays to views, without conversion and without a copy: what does not fit is refused by name.
#pragma once

#include <pybind11/numpy.h>

#include <string>

#include "core/views.hpp"

namespace lprfast::bindings {

namespace py = pybind11;

// "float32 array of shape (3, 4)", or the type's name when it is no array.
std::string describe(const py::handle& object);

// The object as a C-contiguous array of T with `rank` axes. Throws py::type_error (no array, other dtype) or
// py::value_error (other rank, not contiguous), naming the argument, what was expected and what came.
template <class T>
py::array_t<T> require_array(const py::handle& object, const char* argument, int rank) {
  const std::string expected =
      std::string(py::str(py::dtype::of<T>())) + " array with " + std::to_string(rank) + " axes in C order";
  if (!py::isinstance<py::array_t<T>>(object)) {
    throw py::type_error(std::string(argument) + ": expected a " + expected + ", got " + describe(object));
  }
  auto array = py::reinterpret_borrow<py::array_t<T>>(object);
  if (array.ndim() != rank || !(array.flags() & py::array::c_style)) {
    throw py::value_error(std::string(argument) + ": expected a " + expected + ", got " + describe(object));
  }
  return array;
}

// A uint8 crop [H, W] or [H, W, 1 | 3 | 4], any strides. Throws std::invalid_argument with the reason when it
// is None, no array, of another dtype or rank, empty, or has another number of channels.
// The view is valid for as long as the caller keeps the array alive.
ImageView crop_view(const py::handle& object);

}  // namespace lprfast::bindings
