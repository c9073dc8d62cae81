#include "ort/device.hpp"

#include <algorithm>
#include <stdexcept>

namespace lprfast::ort {

namespace {

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

void check_available(const Library& library, const SessionOptions& options) {
  const std::string start = "device '" + options.device + "': ";
  if (!library.has_provider("CUDAExecutionProvider")) {
    throw OrtError(start + "ONNX Runtime " + library.version() + " at '" + library.path() + "' offers only " +
                       join(library.providers()) +
                       "; install onnxruntime-gpu in place of onnxruntime, or use device 'cpu'",
                   -1);
  }
  // The CUDA provider keeps one pointer to its host for the whole process: the last copy loaded would win.
  if (options.other_runtime_loaded) {
    throw OrtError(start +
                       "the Python package onnxruntime is imported in this process, and two copies of ONNX "
                       "Runtime cannot share CUDA; do not import it here, or use device 'cpu'",
                   -1);
  }
}

}  // namespace

std::optional<int> cuda_device(const std::string& device) {
  if (device == "cpu") return std::nullopt;
  if (device == "cuda") return 0;
  const std::string prefix = "cuda:";
  const std::string digits = device.rfind(prefix, 0) == 0 ? device.substr(prefix.size()) : "";
  const bool is_number =
      !digits.empty() && digits.size() <= 4 &&
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) {
    throw std::invalid_argument("device: expected 'cpu', 'cuda' or 'cuda:N', got '" + device + "'");
  }
  return std::stoi(digits);
}

void append_provider(const Library& library, const SessionOptions& options,
                     abi::SessionOptions* session_options) {
  const auto number = cuda_device(options.device);
  if (!number) return;
  check_available(library, options);
  const std::string doing =
      "device '" + options.device +
      "': the CUDA and cuDNN libraries that this onnxruntime-gpu needs must be loadable";
  const abi::Api& api = library.api();
  abi::CudaOptions* made = nullptr;
  library.check(api.CreateCUDAProviderOptions(&made), doing);
  const Owned<abi::CudaOptions> cuda(made, api.ReleaseCUDAProviderOptions);
  const std::string value = std::to_string(*number);
  const char* keys[] = {"device_id"};
  const char* values[] = {value.c_str()};
  library.check(api.UpdateCUDAProviderOptions(cuda.get(), keys, values, 1), doing);
  library.check(api.SessionOptionsAppendExecutionProvider_CUDA_V2(session_options, cuda.get()), doing);
}

}  // namespace lprfast::ort
