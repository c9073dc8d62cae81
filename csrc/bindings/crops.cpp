#include "bindings/crops.hpp"

#include <stdexcept>

#include "image/prepare.hpp"

namespace lprfast::bindings {

pipeline::Crop to_crop(const py::handle& object) {
  pipeline::Crop crop;
  try {
    crop.view = crop_view(object);
    image::check(crop.view);
  } catch (const std::invalid_argument& error) {
    crop.error = error.what();
  }
  return crop;
}

CropList::CropList(const py::list& crops) {
  held.reserve(crops.size());
  views.reserve(crops.size());
  for (const py::handle object : crops) {
    held.push_back(py::reinterpret_borrow<py::object>(object));
    views.push_back(to_crop(object));
  }
}

}  // namespace lprfast::bindings
