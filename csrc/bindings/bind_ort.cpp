#include <pybind11/stl.h>

#include "bindings/bindings.hpp"
#include "bindings/gil.hpp"
#include "bindings/numpy.hpp"
#include "core/error.hpp"
#include "ort/library.hpp"
#include "ort/session.hpp"
#include "ort/shapes.hpp"

namespace lprfast::bindings {

namespace py = pybind11;

namespace {

using SessionPtr = std::shared_ptr<ort::Session>;

// A path (str or os.PathLike) as the operating system spells it: names that are not UTF-8 come through too.
std::string encode_path(const py::handle& path) {
  PyObject* encoded = nullptr;
  if (!PyUnicode_FSConverter(path.ptr(), &encoded)) throw py::error_already_set();
  return py::reinterpret_steal<py::bytes>(encoded);
}

// Models come from strangers: text that is not UTF-8 is the model's fault, not a decoding error of ours.
py::str decode(const std::string& text, const char* what) {
  PyObject* decoded = PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "strict");
  if (decoded) return py::reinterpret_steal<py::str>(decoded);
  PyErr_Clear();
  throw ModelError(std::string("the model's ") + what + " is not UTF-8 text");
}

SessionPtr make_session(const py::object& model, const py::object& library, const std::string& device,
                        int threads) {
  ort::SessionOptions options;
  options.device = device;
  options.threads = threads;
  options.other_runtime_loaded = py::module_::import("sys").attr("modules").contains("onnxruntime");
  const std::string library_path = encode_path(library);
  if (py::isinstance<py::bytes>(model)) {
    char* data = nullptr;
    py::ssize_t size = 0;
    if (PyBytes_AsStringAndSize(model.ptr(), &data, &size) != 0) throw py::error_already_set();
    const GilRelease release;
    return ort::Session::from_bytes(library_path, data, static_cast<std::size_t>(size), options);
  }
  const std::string model_path = encode_path(model);
  const GilRelease release;
  return ort::Session::from_file(library_path, model_path, options);
}

py::list tensor_list(const std::vector<ort::TensorInfo>& tensors) {
  py::list list;
  for (const auto& tensor : tensors) {
    list.append(py::make_tuple(decode(tensor.name, "tensor name"), tensor.element_type,
                               py::tuple(py::cast(tensor.shape))));
  }
  return list;
}

py::dict metadata_dict(const ort::Session& session) {
  py::dict dict;
  for (const auto& [key, value] : session.metadata()) {
    const py::str name = decode(key, "metadata key");
    dict[name] = decode(value, ("metadata value of '" + key + "'").c_str());
  }
  return dict;
}

py::array_t<float> run(const ort::Session& session, const py::object& object) {
  const int rank = py::isinstance<py::array>(object)
                       ? static_cast<int>(py::reinterpret_borrow<py::array>(object).ndim())
                       : 1;
  const auto array = require_array<float>(object, "array", rank);
  const std::vector<std::int64_t> shape(array.shape(), array.shape() + array.ndim());
  const float* data = array.data();
  std::vector<float> output;
  std::vector<std::int64_t> output_shape;
  {
    const GilRelease release;
    session.run(data, shape, output, output_shape);
  }
  return py::array_t<float>(output_shape, output.data());
}

py::dict ort_shapes(const py::object& library, const py::bytes& model, const std::string& input,
                    const std::vector<std::int64_t>& shape, const std::vector<std::string>& names) {
  const std::string path = encode_path(library);
  char* data = nullptr;
  py::ssize_t size = 0;
  if (PyBytes_AsStringAndSize(model.ptr(), &data, &size) != 0) throw py::error_already_set();
  std::map<std::string, std::vector<std::int64_t>> found;
  {
    const GilRelease release;
    found = ort::run_shapes(path, data, static_cast<std::size_t>(size), input, shape, names);
  }
  py::dict shapes;
  for (const auto& [name, lengths] : found)
    shapes[decode(name, "tensor name")] = py::tuple(py::cast(lengths));
  return shapes;
}

py::dict ort_info(const py::object& library) {
  const std::string path = encode_path(library);
  const ort::Library* opened = nullptr;
  {
    const GilRelease release;
    opened = &ort::Library::open(path);
  }
  py::dict info;
  info["version"] = opened->version();
  info["build"] = opened->build_info();
  info["providers"] = opened->providers();
  return info;
}

}  // namespace

void register_ort(py::module_& module) {
  py::class_<ort::Session, SessionPtr>(
      module, "Session", "A model of one float32 input and one float32 output, in ONNX Runtime.")
      .def(py::init(&make_session), py::arg("model"), py::arg("library"), py::arg("device") = "cpu",
           py::arg("threads") = 1)
      .def_property_readonly("inputs", [](const ort::Session& self) { return tensor_list(self.inputs()); })
      .def_property_readonly("outputs", [](const ort::Session& self) { return tensor_list(self.outputs()); })
      .def_property_readonly("metadata", &metadata_dict)
      .def("run", &run, py::arg("array"));
  module.def("ort_shapes", &ort_shapes, py::arg("library"), py::arg("model"), py::arg("input"),
             py::arg("shape"), py::arg("names"), "Shapes of graph outputs in one run on zeros.");
  module.def("ort_info", &ort_info, py::arg("library"));
}

}  // namespace lprfast::bindings
