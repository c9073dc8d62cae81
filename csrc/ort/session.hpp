// A model loaded in ONNX Runtime, ready to run from many threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace lprfast::ort {

struct TensorInfo {
  std::string name;
  int element_type = 0;             // ONNX element type: 1 is float32
  std::vector<std::int64_t> shape;  // -1 where the model leaves it open
};

struct SessionOptions {
  std::string device = "cpu";         // "cpu", "cuda" or "cuda:N"
  int threads = 1;                    // intra-op threads, 1 to 256; inter-op is always 1, spinning always off
  bool other_runtime_loaded = false;  // a second ONNX Runtime lives in this process: CUDA is refused
};

class Session {
 public:
  // `library` is the absolute path of the ONNX Runtime library; paths are UTF-8. The bytes are not needed
  // after the call. Throws OrtError (library, device), ModelError (the file cannot be read, or is not a model
  // of one float32 input and one float32 output) or std::invalid_argument (device name, threads).
  static std::shared_ptr<Session> from_file(const std::string& library, const std::string& path,
                                            const SessionOptions& options);
  static std::shared_ptr<Session> from_bytes(const std::string& library, const void* data, std::size_t size,
                                             const SessionOptions& options);
  ~Session();

  const std::vector<TensorInfo>& inputs() const;
  const std::vector<TensorInfo>& outputs() const;
  const std::map<std::string, std::string>& metadata() const;

  // Reads as many floats as `input_shape` says. `output` is resized to fit, `output_shape` says how; both are
  // reused from call to call. Safe from many threads at once. Throws OrtError with ORT's own text, or
  // std::invalid_argument for a shape that is none.
  void run(const float* input, const std::vector<std::int64_t>& input_shape, std::vector<float>& output,
           std::vector<std::int64_t>& output_shape) const;

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace lprfast::ort
