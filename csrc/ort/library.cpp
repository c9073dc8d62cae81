#include "ort/library.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <mutex>

namespace lprfast::ort {

namespace {

constexpr int kMinimumMajor = 1;
constexpr int kMinimumMinor = 20;

[[noreturn]] void refuse(const std::string& path, const std::string& reason) {
  throw OrtError("cannot use '" + path + "' as ONNX Runtime: " + reason +
                     "; install onnxruntime 1.20 or later, or let LPRFAST_ORT_LIBRARY name its library",
                 -1);
}

void check_path(const std::string& path) {
  const auto file = std::filesystem::u8path(path);
  // A relative name would make the loader search its own folders and find who knows what.
  if (!file.is_absolute() || path.find('\0') != std::string::npos) refuse(path, "expected an absolute path");
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) refuse(path, "there is no such file");
  if (!std::filesystem::is_regular_file(status)) refuse(path, "it is not a file");
}

// RTLD_LOCAL keeps its symbols from mixing with another copy, such as the one inside Python's onnxruntime.
const abi::ApiBase* load(const std::string& path) {
  check_path(path);
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) refuse(path, dlerror());
  auto get_base = reinterpret_cast<abi::GetApiBase*>(dlsym(handle, "OrtGetApiBase"));
  if (!get_base) refuse(path, "the library has no function OrtGetApiBase");
  const abi::ApiBase* base = get_base();
  if (!base || !base->GetApi || !base->GetVersionString) refuse(path, "OrtGetApiBase gave nothing");
  return base;
}

abi::Table table_of(const std::string& path, const abi::ApiBase* base) {
  const abi::Table table = base->GetApi(abi::kApiVersion);
  if (!table) refuse(path, "it does not offer version " + std::to_string(abi::kApiVersion) + " of its table");
  return table;
}

}  // namespace

std::string supported_version(const std::string& path, const char* text) {
  int major = 0;
  int minor = 0;
  if (!text || std::sscanf(text, "%d.%d", &major, &minor) != 2) {
    refuse(path, "its version cannot be read: '" + std::string(text ? text : "") + "'");
  }
  const bool supported = major > kMinimumMajor || (major == kMinimumMajor && minor >= kMinimumMinor);
  if (!supported) refuse(path, "its version is " + std::string(text) + ", at least 1.20 is needed");
  return text;
}

void check_table(const std::string& path, const abi::Api& api) {
  const int code = 9;
  const std::string text = "lprfast asks whether this is ONNX Runtime";
  const Owned<abi::Status> status(api.CreateStatus(code, text.c_str()), api.ReleaseStatus);
  if (!status || api.GetErrorCode(status.get()) != code || api.GetErrorMessage(status.get()) != text) {
    refuse(path, "its function table is not the expected one");
  }
}

const Library& Library::open(const std::string& path) {
  // Never destroyed: ONNX Runtime may abort when its environment goes at exit, and sessions may outlive
  // statics.
  static auto& libraries = *new std::map<std::string, std::unique_ptr<Library>>;
  static auto& mutex = *new std::mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  auto& library = libraries[path];
  if (!library) library.reset(new Library(path, load(path)));
  return *library;
}

Library::Library(const std::string& path, const abi::ApiBase* base)
    : path_(path), version_(supported_version(path, base->GetVersionString())), api_(table_of(path, base)) {
  check_table(path, api_);
  const char* build = api_.GetBuildInfoString();
  build_info_ = build ? build : "";
  check(api_.CreateEnv(abi::kLogError, "lprfast", &env_), "starting ONNX Runtime");
  check(api_.DisableTelemetryEvents(env_), "turning ONNX Runtime's telemetry off");
  read_providers();
}

void Library::read_providers() {
  char** names = nullptr;
  int count = 0;
  check(api_.GetAvailableProviders(&names, &count), "listing ONNX Runtime's providers");
  providers_.assign(names, names + count);
  check(api_.ReleaseAvailableProviders(names, count), "listing ONNX Runtime's providers");
  if (!has_provider("CPUExecutionProvider")) refuse(path_, "it does not offer CPUExecutionProvider");
}

bool Library::has_provider(const std::string& name) const {
  return std::find(providers_.begin(), providers_.end(), name) != providers_.end();
}

std::optional<Failure> Library::take(abi::Status* status) const {
  if (!status) return std::nullopt;
  const Owned<abi::Status> owned(status, api_.ReleaseStatus);
  std::string text = api_.GetErrorMessage(status);
  text.erase(text.find_last_not_of(" \n") + 1);  // it often ends with an empty line
  return Failure{api_.GetErrorCode(status), text};
}

void Library::check(abi::Status* status, const std::string& doing) const {
  if (const auto failure = take(status)) throw OrtError(doing + ": " + describe(*failure), failure->code);
}

std::string Library::describe(const Failure& failure) const {
  return failure.text + " (ONNX Runtime " + version_ + ", error " + std::to_string(failure.code) + ")";
}

}  // namespace lprfast::ort
