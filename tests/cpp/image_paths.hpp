// Runs prepare on every instruction set and says whether all gave the same bits.
#pragma once

#include <cstring>
#include <vector>

#include "core/cpu.hpp"
#include "image/prepare.hpp"

namespace lprfast::testing {

struct Prepared {
  std::vector<float> values;
  image::CropSummary summary;
  bool same_on_all_paths = true;
};

inline bool same_bits(const image::CropSummary& a, const image::CropSummary& b) {
  return std::memcmp(&a.sharpness, &b.sharpness, sizeof(float)) == 0 &&
         std::memcmp(&a.contrast, &b.contrast, sizeof(float)) == 0 &&
         std::memcmp(&a.clipped, &b.clipped, sizeof(float)) == 0 && a.signature == b.signature;
}

// The result of the scalar path, after a look at all the others. One workspace serves them all, as in use.
inline Prepared prepare_everywhere(const ImageView& crop, image::Color color, const image::PrepareSpec& spec,
                                   image::Workspace& workspace) {
  const std::size_t size = static_cast<std::size_t>(spec.height) * static_cast<std::size_t>(spec.width);
  Prepared first;
  for (const Isa isa : available_isas()) {
    // Exactly as long as it may be, so that a sanitizer sees a value too many.
    std::vector<float> values(size, -1e30F);
    image::CropSummary summary;
    image::prepare(crop, color, spec, isa, workspace, values.data(), &summary);
    std::vector<float> alone(size, 1e30F);  // without a summary: the same
    image::prepare(crop, color, spec, isa, workspace, alone.data(), nullptr);
    if (first.values.empty()) {
      first.values = values;
      first.summary = summary;
    }
    const std::size_t bytes = size * sizeof(float);
    first.same_on_all_paths =
        first.same_on_all_paths && std::memcmp(values.data(), first.values.data(), bytes) == 0 &&
        std::memcmp(alone.data(), first.values.data(), bytes) == 0 && same_bits(summary, first.summary);
  }
  return first;
}

}  // namespace lprfast::testing
