// A list of crops from Python, held while the GIL is released.
#pragma once

#include <vector>

#include "bindings/numpy.hpp"
#include "pipeline/read.hpp"

namespace lprfast::bindings {

// The array's pixels, or the reason why it cannot be used.
pipeline::Crop to_crop(const py::handle& object);

struct CropList {
  explicit CropList(const py::list& crops);

  std::vector<py::object> held;  // another thread may change the list while the GIL is released
  std::vector<pipeline::Crop> views;
};

}  // namespace lprfast::bindings
