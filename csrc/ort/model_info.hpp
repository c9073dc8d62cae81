// What a loaded model says of itself: inputs, outputs and metadata.
#pragma once

#include "ort/library.hpp"
#include "ort/session.hpp"

namespace lprfast::ort {

struct ModelInfo {
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
  std::map<std::string, std::string> metadata;
};

ModelInfo read_model_info(const Library& library, const abi::Session* session);

// Throws ModelError unless there is exactly one float32 input and one float32 output.
void check_one_to_one(const ModelInfo& info, const std::string& source);

std::vector<std::int64_t> dimensions(const Library& library, const abi::TensorInfo* info);

// "[1, 32, -1]"
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace lprfast::ort
