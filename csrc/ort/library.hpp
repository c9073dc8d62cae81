// ONNX Runtime's shared library, opened at run time and kept for as long as the process lives.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ort/abi.hpp"

namespace lprfast::ort {

// An object of ONNX Runtime together with the function that releases it.
template <class T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

struct Failure {
  int code = 0;  // ONNX Runtime's own
  std::string text;
};

// A cheap proof that the table is the one that abi.hpp describes, before anything is done with it: a status
// must come back as it was made. Throws OrtError naming the path.
void check_table(const std::string& path, const abi::Api& api);

// The version text of a library. Throws OrtError naming the path when it is older than 1.20 or no version.
std::string supported_version(const std::string& path, const char* text);

class Library {
 public:
  // Loads the library at an absolute path on the first call, answers from memory after that. Thread-safe.
  // Throws OrtError when the file is missing, is no ONNX Runtime, or is older than 1.20.
  static const Library& open(const std::string& path);

  const abi::Api& api() const { return api_; }
  abi::Env* env() const { return env_; }
  const std::string& path() const { return path_; }
  const std::string& version() const { return version_; }
  const std::string& build_info() const { return build_info_; }
  const std::vector<std::string>& providers() const { return providers_; }
  bool has_provider(const std::string& name) const;

  // What a status says, and releases it; nothing when it is null.
  std::optional<Failure> take(abi::Status* status) const;
  // Throws OrtError when the status says failure; `doing` begins the message.
  void check(abi::Status* status, const std::string& doing) const;
  // "text (ONNX Runtime 1.31.1, error 2)"
  std::string describe(const Failure& failure) const;

 private:
  Library(const std::string& path, const abi::ApiBase* base);
  void read_providers();

  std::string path_;
  std::string version_;
  abi::Api api_;
  abi::Env* env_ = nullptr;
  std::string build_info_;
  std::vector<std::string> providers_;
};

}  // namespace lprfast::ort
