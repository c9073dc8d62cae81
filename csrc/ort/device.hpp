// Which execution provider a session runs on.
#pragma once

#include <optional>
#include <string>

#include "ort/library.hpp"
#include "ort/session.hpp"

namespace lprfast::ort {

// The number N of "cuda:N" (0 for "cuda"), nothing for "cpu". Throws std::invalid_argument for another name.
std::optional<int> cuda_device(const std::string& device);

// Puts CUDA into the options when they ask for it. Throws OrtError when it cannot be had: never falls back.
void append_provider(const Library& library, const SessionOptions& options,
                     abi::SessionOptions* session_options);

}  // namespace lprfast::ort
