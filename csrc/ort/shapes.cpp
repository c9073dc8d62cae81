#include "ort/shapes.hpp"

#include <stdexcept>

#include "core/error.hpp"
#include "ort/library.hpp"
#include "ort/model_info.hpp"

namespace lprfast::ort {
namespace {

constexpr std::int64_t kLargestInput = std::int64_t{1} << 22;  // values: every tensor of the run is held

constexpr int kNoOptimisation = 0;

void check_model(const Library& library, abi::Status* status, const std::string& doing) {
  const auto failure = library.take(status);
  if (failure) throw ModelError(doing + ": " + library.describe(*failure));
}

Owned<abi::Session> open(const Library& library, const void* data, std::size_t size) {
  const abi::Api& api = library.api();
  abi::SessionOptions* made_options = nullptr;
  library.check(api.CreateSessionOptions(&made_options), "setting up an ONNX Runtime session");
  const Owned<abi::SessionOptions> options(made_options, api.ReleaseSessionOptions);
  const std::string doing = "setting up an ONNX Runtime session";
  library.check(api.SetIntraOpNumThreads(made_options, 1), doing);
  library.check(api.SetInterOpNumThreads(made_options, 1), doing);
  library.check(api.SetSessionLogSeverityLevel(made_options, abi::kLogError), doing);
  library.check(api.SetSessionGraphOptimizationLevel(made_options, kNoOptimisation), doing);
  abi::Session* made = nullptr;
  check_model(library, api.CreateSessionFromArray(library.env(), data, size, made_options, &made),
              "the model cannot be loaded");
  return {made, api.ReleaseSession};
}

std::size_t count(const std::vector<std::int64_t>& shape) {
  std::int64_t values = 1;
  for (const std::int64_t length : shape) {
    if (length < 1 || length > kLargestInput || values > kLargestInput / length) {
      throw std::invalid_argument("input of shape " + shape_text(shape) +
                                  ": expected at least 1 a side and " + "at most " +
                                  std::to_string(kLargestInput) + " values");
    }
    values *= length;
  }
  return static_cast<std::size_t>(values);
}

}  // namespace

std::map<std::string, std::vector<std::int64_t>> run_shapes(const std::string& library_path, const void* data,
                                                            std::size_t size, const std::string& input,
                                                            const std::vector<std::int64_t>& input_shape,
                                                            const std::vector<std::string>& names) {
  const Library& library = Library::open(library_path);
  const abi::Api& api = library.api();
  std::vector<float> zeros(count(input_shape), 0.0F);
  const Owned<abi::Session> session = open(library, data, size);
  abi::MemoryInfo* made_memory = nullptr;
  library.check(api.CreateCpuMemoryInfo(abi::kArenaAllocator, abi::kDefaultMemory, &made_memory),
                "describing CPU memory to ONNX Runtime");
  const Owned<abi::MemoryInfo> memory(made_memory, api.ReleaseMemoryInfo);
  abi::Value* made_input = nullptr;
  library.check(
      api.CreateTensorWithDataAsOrtValue(memory.get(), zeros.data(), zeros.size() * sizeof(float),
                                         input_shape.data(), input_shape.size(), abi::kFloat32, &made_input),
      "making a tensor of shape " + shape_text(input_shape));
  const Owned<abi::Value> value(made_input, api.ReleaseValue);
  std::vector<const char*> wanted;
  for (const std::string& name : names) wanted.push_back(name.c_str());
  std::vector<abi::Value*> made(names.size(), nullptr);
  const char* const input_name = input.c_str();
  const abi::Value* const given = value.get();
  abi::Status* const status =
      api.Run(session.get(), nullptr, &input_name, &given, 1, wanted.data(), wanted.size(), made.data());
  std::vector<Owned<abi::Value>> owned;
  for (abi::Value* one : made) owned.emplace_back(one, api.ReleaseValue);
  check_model(library, status, "the model cannot be run on an input of shape " + shape_text(input_shape));
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (std::size_t i = 0; i < names.size(); ++i) {
    abi::TensorInfo* made_info = nullptr;
    if (owned[i] == nullptr || library.take(api.GetTensorTypeAndShape(owned[i].get(), &made_info))) continue;
    const Owned<abi::TensorInfo> info(made_info, api.ReleaseTensorTypeAndShapeInfo);
    shapes[names[i]] = dimensions(library, made_info);
  }
  return shapes;
}

}  // namespace lprfast::ort
