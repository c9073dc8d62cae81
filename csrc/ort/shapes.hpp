// What a graph's tensors look like in one run: some shapes only a run shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace lprfast::ort {

// Runs a model of one float32 input on zeros, without optimisations, and answers the shape of each of
// `names`, which must be outputs of the graph; what is no tensor is left out. Throws OrtError (library), or
// ModelError when the model cannot be loaded or run on this shape.
std::map<std::string, std::vector<std::int64_t>> run_shapes(const std::string& library, const void* data,
                                                            std::size_t size, const std::string& input,
                                                            const std::vector<std::int64_t>& input_shape,
                                                            const std::vector<std::string>& names);

}  // namespace lprfast::ort
