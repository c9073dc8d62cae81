#include "ort/model_info.hpp"

namespace lprfast::ort {

namespace {

constexpr const char* kDoing = "reading what the model says of itself";

class Reader {
 public:
  Reader(const Library& library, const abi::Session* session)
      : library_(library), api_(library.api()), session_(session) {
    library.check(api_.GetAllocatorWithDefaultOptions(&allocator_), kDoing);
  }

  std::vector<TensorInfo> inputs() const {
    return tensors(api_.SessionGetInputCount, api_.SessionGetInputName, api_.SessionGetInputTypeInfo);
  }

  std::vector<TensorInfo> outputs() const {
    return tensors(api_.SessionGetOutputCount, api_.SessionGetOutputName, api_.SessionGetOutputTypeInfo);
  }

  std::map<std::string, std::string> metadata() const;

 private:
  using GetCount = abi::Status*(const abi::Session*, std::size_t*);
  using GetName = abi::Status*(const abi::Session*, std::size_t, abi::Allocator*, char**);
  using GetType = abi::Status*(const abi::Session*, std::size_t, abi::TypeInfo**);

  std::vector<TensorInfo> tensors(GetCount* get_count, GetName* get_name, GetType* get_type) const;
  void read_type(const abi::TypeInfo* type, TensorInfo& tensor) const;
  std::string take(char* text) const;

  const Library& library_;
  const abi::Api& api_;
  const abi::Session* session_;
  abi::Allocator* allocator_ = nullptr;
};

// Copies a string that ONNX Runtime allocated, and frees it.
std::string Reader::take(char* text) const {
  std::string copy = text ? text : "";
  if (text) library_.check(api_.AllocatorFree(allocator_, text), kDoing);
  return copy;
}

std::vector<TensorInfo> Reader::tensors(GetCount* get_count, GetName* get_name, GetType* get_type) const {
  std::size_t count = 0;
  library_.check(get_count(session_, &count), kDoing);
  std::vector<TensorInfo> found(count);
  for (std::size_t i = 0; i < count; ++i) {
    char* name = nullptr;
    library_.check(get_name(session_, i, allocator_, &name), kDoing);
    found[i].name = take(name);
    abi::TypeInfo* type = nullptr;
    library_.check(get_type(session_, i, &type), kDoing);
    const Owned<abi::TypeInfo> owned(type, api_.ReleaseTypeInfo);
    read_type(type, found[i]);
  }
  return found;
}

// Leaves the element type at 0 for what is no tensor: a sequence, a map.
void Reader::read_type(const abi::TypeInfo* type, TensorInfo& tensor) const {
  int kind = 0;
  library_.check(api_.GetOnnxTypeFromTypeInfo(type, &kind), kDoing);
  if (kind != abi::kTensor) return;
  const abi::TensorInfo* info = nullptr;
  library_.check(api_.CastTypeInfoToTensorInfo(type, &info), kDoing);
  library_.check(api_.GetTensorElementType(info, &tensor.element_type), kDoing);
  tensor.shape = dimensions(library_, info);
}

std::map<std::string, std::string> Reader::metadata() const {
  abi::ModelMetadata* made = nullptr;
  library_.check(api_.SessionGetModelMetadata(session_, &made), kDoing);
  const Owned<abi::ModelMetadata> owned(made, api_.ReleaseModelMetadata);
  char** keys = nullptr;
  std::int64_t count = 0;
  library_.check(api_.ModelMetadataGetCustomMetadataMapKeys(made, allocator_, &keys, &count), kDoing);
  std::map<std::string, std::string> found;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string key = take(keys[i]);
    char* value = nullptr;
    library_.check(api_.ModelMetadataLookupCustomMetadataMap(made, allocator_, key.c_str(), &value), kDoing);
    found[key] = take(value);
  }
  if (keys) library_.check(api_.AllocatorFree(allocator_, keys), kDoing);
  return found;
}

const char* type_name(int element_type) {
  static const char* const names[] = {"no tensor", "float32", "uint8",  "int8",   "uint16",
                                      "int16",     "int32",   "int64",  "string", "bool",
                                      "float16",   "float64", "uint32", "uint64"};
  const bool known = element_type >= 0 && element_type < static_cast<int>(std::size(names));
  return known ? names[element_type] : "of another element type";
}

void check_single_float(const std::vector<TensorInfo>& tensors, const std::string& what,
                        const std::string& source) {
  if (tensors.size() == 1 && tensors[0].element_type == abi::kFloat32) return;
  std::string found;
  for (const auto& tensor : tensors) {
    found += (found.empty() ? "" : ", ") + ("'" + tensor.name + "' ") + type_name(tensor.element_type) + " " +
             shape_text(tensor.shape);
  }
  throw ModelError(source + ": expected a model with one float32 " + what + ", this one has " +
                   std::to_string(tensors.size()) + ": " + found);
}

}  // namespace

ModelInfo read_model_info(const Library& library, const abi::Session* session) {
  const Reader reader(library, session);
  return {reader.inputs(), reader.outputs(), reader.metadata()};
}

void check_one_to_one(const ModelInfo& info, const std::string& source) {
  check_single_float(info.inputs, "input", source);
  check_single_float(info.outputs, "output", source);
}

std::vector<std::int64_t> dimensions(const Library& library, const abi::TensorInfo* info) {
  std::size_t rank = 0;
  library.check(library.api().GetDimensionsCount(info, &rank), kDoing);
  std::vector<std::int64_t> shape(rank);
  library.check(library.api().GetDimensions(info, shape.data(), rank), kDoing);
  return shape;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t length : shape) text += (text.empty() ? "" : ", ") + std::to_string(length);
  return "[" + text + "]";
}

}  // namespace lprfast::ort
