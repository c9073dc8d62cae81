#include "bindings/numpy.hpp"

#include <stdexcept>

namespace lprfast::bindings {

std::string describe(const py::handle& object) {
  if (!py::isinstance<py::array>(object)) return std::string(py::str(py::type::of(object).attr("__name__")));
  const auto array = py::reinterpret_borrow<py::array>(object);
  std::string text =
      std::string(py::str(array.dtype())) + " array of shape " + std::string(py::str(array.attr("shape")));
  if (!(array.flags() & py::array::c_style)) text += ", not in C order";
  return text;
}

ImageView crop_view(const py::handle& object) {
  const std::string expected = "expected a uint8 array [height, width] or [height, width, 1, 3 or 4], got ";
  if (!py::isinstance<py::array_t<std::uint8_t>>(object)) {
    throw std::invalid_argument(expected + describe(object));
  }
  const auto array = py::reinterpret_borrow<py::array>(object);
  const bool has_channels = array.ndim() == 3;
  if (array.ndim() != 2 && !has_channels) throw std::invalid_argument(expected + describe(object));
  const py::ssize_t channels = has_channels ? array.shape(2) : 1;
  if (channels != 1 && channels != 3 && channels != 4) {
    throw std::invalid_argument(expected + describe(object));
  }
  if (array.shape(0) == 0 || array.shape(1) == 0) {
    throw std::invalid_argument("the crop is empty: " + describe(object));
  }
  ImageView view;
  view.data = static_cast<const std::uint8_t*>(array.data());
  view.height = array.shape(0);
  view.width = array.shape(1);
  view.channels = static_cast<int>(channels);
  view.row_stride = array.strides(0);
  view.column_stride = array.strides(1);
  view.channel_stride = has_channels ? array.strides(2) : 0;
  return view;
}

}  // namespace lprfast::bindings
