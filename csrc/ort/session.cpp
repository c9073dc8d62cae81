#include "ort/session.hpp"

#include <unistd.h>

#include <limits>
#include <mutex>
#include <stdexcept>

#include "ort/device.hpp"
#include "ort/library.hpp"
#include "ort/model_info.hpp"

namespace lprfast::ort {

namespace {

constexpr int kMaximumThreads = 256;
constexpr std::size_t kMaximumKnownShapes = 64;

using Shape = std::vector<std::int64_t>;

std::size_t element_count(const Shape& shape) {
  constexpr auto limit = std::numeric_limits<std::int64_t>::max() / std::int64_t{sizeof(float)};
  std::int64_t count = 1;
  for (const std::int64_t length : shape) {
    if (length < 0 || (length > 0 && count > limit / length)) {
      throw std::invalid_argument("input of shape " + shape_text(shape) + ": no array can have it");
    }
    count *= length;
  }
  return static_cast<std::size_t>(count);
}

Owned<abi::SessionOptions> make_options(const Library& library, const SessionOptions& options) {
  if (options.threads < 1 || options.threads > kMaximumThreads) {
    throw std::invalid_argument("threads: expected 1 to " + std::to_string(kMaximumThreads) + ", got " +
                                std::to_string(options.threads));
  }
  const abi::Api& api = library.api();
  const std::string doing = "setting up an ONNX Runtime session";
  abi::SessionOptions* made = nullptr;
  library.check(api.CreateSessionOptions(&made), doing);
  Owned<abi::SessionOptions> owned(made, api.ReleaseSessionOptions);
  // Left alone, ONNX Runtime takes every core and lets its idle threads spin.
  library.check(api.SetIntraOpNumThreads(made, options.threads), doing);
  library.check(api.SetInterOpNumThreads(made, 1), doing);
  library.check(api.AddSessionConfigEntry(made, "session.intra_op.allow_spinning", "0"), doing);
  library.check(api.AddSessionConfigEntry(made, "session.inter_op.allow_spinning", "0"), doing);
  library.check(api.SetSessionExecutionMode(made, abi::kSequential), doing);
  library.check(api.SetSessionGraphOptimizationLevel(made, abi::kOptimiseAll), doing);
  library.check(api.SetSessionLogSeverityLevel(made, abi::kLogError), doing);
  append_provider(library, options, made);
  return owned;
}

Owned<abi::MemoryInfo> cpu_memory(const Library& library) {
  abi::MemoryInfo* made = nullptr;
  library.check(library.api().CreateCpuMemoryInfo(abi::kArenaAllocator, abi::kDefaultMemory, &made),
                "describing CPU memory to ONNX Runtime");
  return {made, library.api().ReleaseMemoryInfo};
}

// Without CUDA every failure is the model's; with it, only those that say so.
void check_created(const Library& library, const SessionOptions& options, const std::string& source,
                   abi::Status* status) {
  const auto failure = library.take(status);
  if (!failure) return;
  const std::string message = source + ": " + library.describe(*failure);
  const int code = failure->code;
  const bool is_model = code == abi::kNoSuchFile || code == abi::kNoModel || code == abi::kInvalidProtobuf ||
                        code == abi::kInvalidGraph;
  if (is_model || options.device == "cpu") throw ModelError(message);
  throw OrtError("device '" + options.device + "': " + message, code);
}

void check_file(const std::string& source, const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) throw ModelError(source + ": there is no such file");
  // A pipe or a device would block, or never end.
  if (!std::filesystem::is_regular_file(status)) throw ModelError(source + ": it is not a file");
}

}  // namespace

struct Session::Impl {
  Impl(const Library& used_library, const SessionOptions& options, std::string model_source,
       abi::Session* made)
      : library(used_library),
        api(used_library.api()),
        device(options.device),
        source(std::move(model_source)),
        process(getpid()),
        session(made, api.ReleaseSession),
        memory(cpu_memory(used_library)),
        info(read_model_info(used_library, made)) {
    check_one_to_one(info, source);
  }

  ~Impl() {
    // Releasing would wait for worker threads that a forked child does not have.
    if (forked()) (void)session.release();
  }

  void check(abi::Status* status, const char* doing, const Shape& shape) const;
  Owned<abi::Value> tensor(float* data, const Shape& shape) const;
  abi::Status* call(const abi::Value* input, abi::Value** output) const;
  bool run_into(const abi::Value* input, const Shape& shape, std::vector<float>& output) const;
  Shape run_and_copy(const abi::Value* input, const Shape& input_shape, std::vector<float>& output) const;

  Shape known_shape(const Shape& input_shape) const;
  void remember(const Shape& input_shape, const Shape& output_shape) const;
  bool forked() const { return getpid() != process; }
  void check_process() const;

  const Library& library;
  const abi::Api& api;
  const std::string device;
  const std::string source;  // begins every message
  const pid_t process;       // that made the session
  Owned<abi::Session> session;
  const Owned<abi::MemoryInfo> memory;
  const ModelInfo info;

 private:
  mutable std::mutex mutex_;
  mutable std::map<Shape, Shape> known_shapes_;  // output shape of each input shape seen
  mutable bool shapes_vary_ = false;             // one input shape gave two output shapes
};

void Session::Impl::check_process() const {
  if (device == "cpu" || !forked()) return;
  throw OrtError(
      "device '" + device + "': CUDA does not survive a fork; start the process with 'spawn' instead", -1);
}

// Builds its message only when there is one: run() passes here several times.
void Session::Impl::check(abi::Status* status, const char* doing, const Shape& shape) const {
  if (status) library.check(status, source + ": " + doing + " of shape " + shape_text(shape));
}

Owned<abi::Value> Session::Impl::tensor(float* data, const Shape& shape) const {
  abi::Value* made = nullptr;
  check(api.CreateTensorWithDataAsOrtValue(memory.get(), data, element_count(shape) * sizeof(float),
                                           shape.data(), shape.size(), abi::kFloat32, &made),
        "making a tensor", shape);
  return {made, api.ReleaseValue};
}

abi::Status* Session::Impl::call(const abi::Value* input, abi::Value** output) const {
  const char* input_names[] = {info.inputs[0].name.c_str()};
  const char* output_names[] = {info.outputs[0].name.c_str()};
  return api.Run(session.get(), nullptr, input_names, &input, 1, output_names, 1, output);
}

// False when it failed, be it only because this time the output has another shape.
bool Session::Impl::run_into(const abi::Value* input, const Shape& shape, std::vector<float>& output) const {
  output.resize(element_count(shape));
  if (output.empty()) return false;
  const auto value = tensor(output.data(), shape);
  abi::Value* target = value.get();
  return !library.take(call(input, &target));
}

Shape Session::Impl::run_and_copy(const abi::Value* input, const Shape& input_shape,
                                  std::vector<float>& output) const {
  abi::Value* made = nullptr;
  check(call(input, &made), "running on an input", input_shape);
  const Owned<abi::Value> value(made, api.ReleaseValue);
  abi::TensorInfo* made_info = nullptr;
  check(api.GetTensorTypeAndShape(made, &made_info), "reading the output for an input", input_shape);
  const Owned<abi::TensorInfo> info_of_value(made_info, api.ReleaseTensorTypeAndShapeInfo);
  Shape shape = dimensions(library, made_info);
  void* data = nullptr;
  check(api.GetTensorMutableData(made, &data), "reading the output for an input", input_shape);
  const auto* first = static_cast<const float*>(data);
  output.assign(first, first + element_count(shape));
  return shape;
}

Shape Session::Impl::known_shape(const Shape& input_shape) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = known_shapes_.find(input_shape);
  return found == known_shapes_.end() ? Shape() : found->second;
}

void Session::Impl::remember(const Shape& input_shape, const Shape& output_shape) const {
  // A model that hands its input through ignores the given output, and then says nothing.
  if (info.inputs[0].name == info.outputs[0].name) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (known_shapes_.size() >= kMaximumKnownShapes) known_shapes_.clear();
  const auto& known = known_shapes_.emplace(input_shape, output_shape).first->second;
  if (known != output_shape) shapes_vary_ = true;
  if (shapes_vary_) known_shapes_.clear();
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;

std::shared_ptr<Session> Session::from_file(const std::string& library_path, const std::string& path,
                                            const SessionOptions& options) {
  const std::string source = "model '" + path + "'";
  const Library& library = Library::open(library_path);
  const auto session_options = make_options(library, options);
  const auto file = std::filesystem::u8path(path);
  check_file(source, file);
  abi::Session* made = nullptr;
  check_created(library, options, source,
                library.api().CreateSession(library.env(), file.c_str(), session_options.get(), &made));
  return std::shared_ptr<Session>(new Session(std::make_unique<Impl>(library, options, source, made)));
}

std::shared_ptr<Session> Session::from_bytes(const std::string& library_path, const void* data,
                                             std::size_t size, const SessionOptions& options) {
  const std::string source = "model of " + std::to_string(size) + " bytes";
  const Library& library = Library::open(library_path);
  const auto session_options = make_options(library, options);
  abi::Session* made = nullptr;
  check_created(
      library, options, source,
      library.api().CreateSessionFromArray(library.env(), data, size, session_options.get(), &made));
  return std::shared_ptr<Session>(new Session(std::make_unique<Impl>(library, options, source, made)));
}

const std::vector<TensorInfo>& Session::inputs() const { return impl_->info.inputs; }
const std::vector<TensorInfo>& Session::outputs() const { return impl_->info.outputs; }
const std::map<std::string, std::string>& Session::metadata() const { return impl_->info.metadata; }

void Session::run(const float* input, const std::vector<std::int64_t>& input_shape,
                  std::vector<float>& output, std::vector<std::int64_t>& output_shape) const {
  impl_->check_process();
  // ONNX Runtime takes a pointer to changeable data but never writes to an input.
  const auto value = impl_->tensor(const_cast<float*>(input), input_shape);
  // An output of known shape is written in place; its first run, or one that came out otherwise, is copied.
  Shape known = impl_->known_shape(input_shape);
  if (!known.empty() && impl_->run_into(value.get(), known, output)) {
    output_shape = std::move(known);
    return;
  }
  output_shape = impl_->run_and_copy(value.get(), input_shape, output);
  impl_->remember(input_shape, output_shape);
}

}  // namespace lprfast::ort
