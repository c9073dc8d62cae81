#include <pybind11/stl.h>

#include <cmath>
#include <cstring>

#include "bindings/bindings.hpp"
#include "bindings/crops.hpp"
#include "bindings/gil.hpp"
#include "bindings/numpy.hpp"
#include "pipeline/reader.hpp"

namespace lprfast::bindings {

namespace py = pybind11;
using pipeline::Crop;
using pipeline::Read;

namespace {

// The symbols of the classes, the blank as "", and the reader that answers in class numbers.
class PyReader {
 public:
  PyReader(std::shared_ptr<ort::Session> session, const pipeline::ReaderSpec& spec, const py::tuple& symbols)
      : reader_(std::move(session), spec), symbols_(symbols) {}

  py::list read(const py::list& crops, int nbest, const py::object& enlarged) const;
  std::size_t steps() const { return reader_.steps(); }

 private:
  py::tuple to_python(const Read& read) const;
  py::object text_of(const ctc::Labels& labels) const;

  pipeline::Reader reader_;
  py::tuple symbols_;
};

const char* status_name(pipeline::Status status) {
  switch (status) {
    case pipeline::Status::ok:
      return "ok";
    case pipeline::Status::no_plate:
      return "no_plate";
    case pipeline::Status::unreadable:
      return "unreadable";
    case pipeline::Status::error:
      break;
  }
  return "error";
}

py::object PyReader::text_of(const ctc::Labels& labels) const {
  py::list parts;
  for (const int label : labels) parts.append(symbols_[static_cast<std::size_t>(label)]);
  return py::str("").attr("join")(parts);
}

py::object posteriors_of(const Read& read, std::size_t classes) {
  if (read.log_posteriors.empty()) return py::none();
  const std::size_t steps = read.log_posteriors.size() / classes;
  py::array array(py::dtype("float16"), std::vector<std::size_t>{steps, classes});
  std::memcpy(array.mutable_data(), read.log_posteriors.data(), read.log_posteriors.size() * 2);
  array.attr("setflags")(py::arg("write") = false);
  return array;
}

py::object signature_of(const Read& read) {
  if (read.log_posteriors.empty()) return py::none();
  py::array_t<std::uint8_t> array(read.summary.signature.size());
  std::memcpy(array.mutable_data(), read.summary.signature.data(), read.summary.signature.size());
  array.attr("setflags")(py::arg("write") = false);
  return array;
}

// The fields of lprfast.PlateRead in order, but for the charset.
py::tuple PyReader::to_python(const Read& read) const {
  const std::size_t count = read.characters.size();
  py::tuple confidences(count), runners_up(count), runner_up_confidences(count), steps(count);
  py::list parts;
  for (std::size_t i = 0; i < count; ++i) {
    const ctc::Character& character = read.characters[i];
    parts.append(symbols_[static_cast<std::size_t>(character.label)]);
    confidences[i] = character.confidence;
    runners_up[i] = symbols_[static_cast<std::size_t>(character.runner_up)];
    runner_up_confidences[i] = character.runner_up_confidence;
    steps[i] = character.step;
  }
  py::tuple alternatives(read.alternatives.size());
  for (std::size_t i = 0; i < read.alternatives.size(); ++i) {
    const ctc::Hypothesis& other = read.alternatives[i];
    alternatives[i] = py::make_tuple(text_of(other.labels), std::min(1.0, std::exp(other.log_prob)));
  }
  const py::object error = read.error.empty() ? py::object(py::none()) : py::object(py::str(read.error));
  return py::make_tuple(py::str("").attr("join")(parts), read.confidence, confidences,
                        status_name(read.status), error, read.width, read.height,
                        py::make_tuple(read.summary.sharpness, read.summary.contrast, read.summary.clipped),
                        runners_up, runner_up_confidences, steps, alternatives,
                        posteriors_of(read, symbols_.size()), signature_of(read), read.lines,
                        read.raw_confidence, read.upscaled);
}

// Sets what is to be read in place of each crop, where there is one: null or a list with an array or None
// each.
void add_enlarged(const py::object& enlarged, CropList& crops) {
  if (enlarged.is_none()) return;
  const py::list list = enlarged;
  if (list.size() != crops.views.size()) {
    throw std::invalid_argument("enlarged: expected one per crop, " + std::to_string(crops.views.size()) +
                                ", got " + std::to_string(list.size()));
  }
  for (std::size_t i = 0; i < crops.views.size(); ++i) {
    const py::object object = list[i];
    if (object.is_none() || !crops.views[i].error.empty()) continue;
    const Crop other = to_crop(object);
    crops.held.push_back(object);
    crops.views[i].enlarged = other.view;
    if (!other.error.empty()) crops.views[i].error = "enlarged: " + other.error;
  }
}

py::list PyReader::read(const py::list& crops, int nbest, const py::object& enlarged) const {
  if (nbest < 0 || nbest > 100) {
    throw std::invalid_argument("nbest: expected 0 to 100, got " + std::to_string(nbest));
  }
  CropList list(crops);
  add_enlarged(enlarged, list);
  std::vector<Read> reads;
  {
    const GilRelease release;
    reads = reader_.read(list.views, nbest);
  }
  py::list results(reads.size());
  for (std::size_t i = 0; i < reads.size(); ++i) results[i] = to_python(reads[i]);
  return results;
}

std::unique_ptr<PyReader> make_reader(std::shared_ptr<ort::Session> session, const py::tuple& symbols,
                                      int blank, int height, int width, const std::string& fit,
                                      const std::string& kernel, float mean, float scale,
                                      const std::string& color, bool logits, double temperature,
                                      double min_confidence, int threads, int batch, bool two_line,
                                      const std::vector<std::string>& calibration_features,
                                      const std::vector<double>& calibration_weights, double calibration_bias,
                                      std::shared_ptr<ctc::TextPrior> prior,
                                      std::shared_ptr<pipeline::Upscaler> upscaler, int upscale_below) {
  if (prior && prior->classes() != symbols.size()) {
    throw std::invalid_argument("prior: expected one of the reader's own symbols");
  }
  pipeline::ReaderSpec spec;
  spec.prepare.height = height;
  spec.prepare.width = width;
  spec.prepare.fit = image::fit_from_name(fit);
  spec.prepare.kernel = image::kernel_from_name(kernel);
  spec.prepare.mean = mean;
  spec.prepare.scale = scale;
  spec.color = image::color_from_name(color);
  spec.classes = symbols.size();
  spec.decode.blank = blank;
  spec.decode.logits = logits;
  spec.decode.temperature = temperature;
  spec.decode.min_confidence = min_confidence;
  for (const std::string& name : calibration_features) {
    spec.decode.calibration.features.push_back(pipeline::feature_from_name(name));
  }
  spec.decode.calibration.logistic.weights = calibration_weights;
  spec.decode.calibration.logistic.bias = calibration_bias;
  spec.decode.prior = std::move(prior);
  spec.threads = threads;
  spec.batch = batch;
  spec.two_line = two_line;
  spec.upscaler = std::move(upscaler);
  spec.upscale_below = upscale_below;
  return std::make_unique<PyReader>(std::move(session), spec, symbols);
}

}  // namespace

void register_pipeline(py::module_& module) {
  py::class_<PyReader>(module, "Reader")
      .def(py::init(&make_reader), py::arg("session"), py::kw_only(), py::arg("symbols"), py::arg("blank"),
           py::arg("height"), py::arg("width"), py::arg("fit"), py::arg("kernel"), py::arg("mean"),
           py::arg("scale"), py::arg("color"), py::arg("logits"), py::arg("temperature"),
           py::arg("min_confidence"), py::arg("threads"), py::arg("batch"), py::arg("two_line"),
           py::arg("calibration_features") = std::vector<std::string>(),
           py::arg("calibration_weights") = std::vector<double>(), py::arg("calibration_bias") = 0.0,
           py::arg("prior") = py::none(), py::arg("upscaler") = nullptr, py::arg("upscale_below") = 0)
      .def("read", &PyReader::read, py::arg("crops"), py::arg("nbest") = 0, py::arg("enlarged") = py::none())
      .def_property_readonly("steps", &PyReader::steps);
}

}  // namespace lprfast::bindings
