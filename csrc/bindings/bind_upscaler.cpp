#include <pybind11/stl.h>

#include <cstring>

#include "bindings/bindings.hpp"
#include "bindings/crops.hpp"
#include "bindings/gil.hpp"
#include "pipeline/upscaler.hpp"

namespace lprfast::bindings {

namespace py = pybind11;
using pipeline::Upscaled;
using pipeline::Upscaler;

namespace {

std::shared_ptr<Upscaler> make_upscaler(std::shared_ptr<ort::Session> session, int scale, int channels,
                                        const std::string& color, int threads, int batch, int patch) {
  pipeline::UpscalerSpec spec;
  spec.scale = scale;
  spec.channels = channels;
  spec.color = image::color_from_name(color);
  spec.threads = threads;
  spec.batch = batch;
  spec.patches.size = patch;
  return std::make_shared<Upscaler>(std::move(session), spec);
}

// The picture as an array, [H, W] of one channel and else [H, W, C]; or the reason why there is none.
py::object to_python(const Upscaled& answer) {
  if (!answer.error.empty()) return py::str(answer.error);
  std::vector<py::ssize_t> shape{answer.height, answer.width};
  if (answer.channels > 1) shape.push_back(answer.channels);
  py::array_t<std::uint8_t> array(shape);
  std::memcpy(array.mutable_data(), answer.pixels.data(), answer.pixels.size());
  return array;
}

py::list upscale(const Upscaler& upscaler, const py::list& crops) {
  const CropList list(crops);
  std::vector<const pipeline::Crop*> wanted;
  for (const pipeline::Crop& crop : list.views) wanted.push_back(&crop);
  std::vector<Upscaled> answers;
  {
    const GilRelease release;
    answers = upscaler.upscale(wanted);
  }
  py::list results;
  for (Upscaled& answer : answers) {
    results.append(to_python(answer));
    std::vector<std::uint8_t>().swap(answer.pixels);
  }
  return results;
}

}  // namespace

void register_upscaler(py::module_& module) {
  py::class_<Upscaler, std::shared_ptr<Upscaler>>(module, "Upscaler")
      .def(py::init(&make_upscaler), py::arg("session"), py::kw_only(), py::arg("scale"), py::arg("channels"),
           py::arg("color"), py::arg("threads"), py::arg("batch"), py::arg("patch") = 128)
      .def("upscale", &upscale, py::arg("crops"));
}

}  // namespace lprfast::bindings
