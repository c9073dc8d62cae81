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
  const bool is_array = py::isinstance<py::array_t<T>>(object);
  if (is_array) {
    auto array = py::reinterpret_borrow<py::array_t<T>>(object);
    if (array.ndim() == rank && (array.flags() & py::array::c_style)) return array;
  }
  const std::string message = std::string(argument) + ": expected a " +
                              std::string(py::str(py::dtype::of<T>())) + " array with " +
                              std::to_string(rank) + " axes in C order, got " + describe(object);
  if (is_array) throw py::value_error(message);
  throw py::type_error(message);
}

// A uint8 crop [H, W] or [H, W, 1 | 3 | 4], any strides. Throws std::invalid_argument with the reason when it
// is None, no array, of another dtype or rank, empty, or has another number of channels.
// The view is valid for as long as the caller keeps the array alive.
ImageView crop_view(const py::handle& object);

}  // namespace lprfast::bindings
