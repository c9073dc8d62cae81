#include <pybind11/stl.h>

#include <algorithm>
#include <stdexcept>

#include "bindings/bindings.hpp"
#include "bindings/gil.hpp"
#include "bindings/numpy.hpp"
#include "image/prepare.hpp"

namespace lprfast::bindings {

namespace py = pybind11;

namespace {

// Kept from call to call, so that coefficients are computed once per size.
image::Workspace& thread_workspace() {
  thread_local image::Workspace workspace;
  return workspace;
}

image::PrepareSpec make_spec(int height, int width, const std::string& fit, const std::string& kernel,
                             float mean, float scale) {
  image::PrepareSpec spec;
  spec.height = height;
  spec.width = width;
  spec.fit = image::fit_from_name(fit);
  spec.kernel = image::kernel_from_name(kernel);
  spec.mean = mean;
  spec.scale = scale;
  image::check(spec);
  return spec;
}

ImageView checked_view(const py::handle& crop, std::size_t index) {
  try {
    const ImageView view = crop_view(crop);
    image::check(view);
    return view;
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument("crops[" + std::to_string(index) + "]: " + error.what());
  }
}

py::array_t<float> prepare(const py::list& crops, int height, int width, const std::string& fit,
                           const std::string& kernel, float mean, float scale, const std::string& color,
                           const std::string& isa_choice) {
  const image::PrepareSpec spec = make_spec(height, width, fit, kernel, mean, scale);
  const image::Color order = image::color_from_name(color);
  const Isa isa = isa_from_name(isa_choice);
  // Own references: another thread may change the list while the GIL is released.
  std::vector<py::object> held;
  std::vector<ImageView> views;
  for (const py::handle crop : crops) {
    held.push_back(py::reinterpret_borrow<py::object>(crop));
    views.push_back(checked_view(crop, views.size()));
  }
  py::array_t<float> result({static_cast<py::ssize_t>(views.size()), py::ssize_t{1},
                             static_cast<py::ssize_t>(height), static_cast<py::ssize_t>(width)});
  float* out = result.mutable_data();
  {
    const GilRelease release;
    const std::size_t size = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
    for (std::size_t i = 0; i < views.size(); ++i) {
      image::prepare(views[i], order, spec, isa, thread_workspace(), out + i * size, nullptr);
    }
  }
  return result;
}

py::tuple summarize(const py::object& crop, int height, int width, const std::string& fit,
                    const std::string& kernel, const std::string& color, const std::string& isa_choice) {
  const image::PrepareSpec spec = make_spec(height, width, fit, kernel, 0.0F, 1.0F);
  const image::Color order = image::color_from_name(color);
  const Isa isa = isa_from_name(isa_choice);
  const ImageView view = checked_view(crop, 0);
  image::CropSummary summary;
  {
    const GilRelease release;
    std::vector<float> out(static_cast<std::size_t>(height) * static_cast<std::size_t>(width));
    image::prepare(view, order, spec, isa, thread_workspace(), out.data(), &summary);
  }
  const auto* bytes = reinterpret_cast<const char*>(summary.signature.data());
  return py::make_tuple(summary.sharpness, summary.contrast, summary.clipped,
                        py::bytes(bytes, summary.signature.size()));
}

}  // namespace

void register_image(py::module_& module) {
  module.def("prepare", &prepare, py::arg("crops"), py::arg("height"), py::arg("width"), py::arg("fit"),
             py::arg("kernel"), py::arg("mean"), py::arg("scale"), py::arg("color"), py::arg("isa") = "auto",
             "Resizes and normalises uint8 crops; returns float32 [N, 1, height, width].");
  module.def("summarize", &summarize, py::arg("crop"), py::arg("height"), py::arg("width"), py::arg("fit"),
             py::arg("kernel"), py::arg("color"), py::arg("isa") = "auto",
             "Returns (sharpness, contrast, clipped, signature) of one crop at reading size.");
}

}  // namespace lprfast::bindings
