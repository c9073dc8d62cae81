// The errors of the core. A caller's mistake is std::invalid_argument; everything else has a type here.
#pragma once

#include <stdexcept>
#include <string>

namespace lprfast {

// A model file that cannot be used: unreadable, truncated, or with missing or contradictory metadata.
class ModelError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// ONNX Runtime could not be found, loaded or made to run; carries ORT's own code (-1 when it has none).
class OrtError : public std::runtime_error {
 public:
  OrtError(const std::string& message, int code) : std::runtime_error(message), code_(code) {}
  int code() const noexcept { return code_; }

 private:
  int code_;
};

}  // namespace lprfast
