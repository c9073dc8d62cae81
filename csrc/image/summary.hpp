// Quality figures and signature of a gray crop at reading size.
#pragma once

#include <vector>

#include "image/kernels.hpp"
#include "image/prepare.hpp"

namespace lprfast::image {

// `gray` has kMargin readable bytes before and after it. `column_sums` is scratch.
CropSummary summarize(const std::uint8_t* gray, int height, int width, const Kernels& kernels,
                      std::vector<std::uint16_t>& column_sums);

}  // namespace lprfast::image
