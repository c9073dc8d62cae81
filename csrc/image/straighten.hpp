// Straightens the lines of text of a tilted crop.
#pragma once

#include <cstdint>
#include <vector>

#include "core/views.hpp"
#include "image/prepare.hpp"

namespace lprfast::image {

// Rows that the lines of text in a gray crop fall per column, at most tan 20 degrees either way; 0 when they
// are straight or cannot be told.
double text_slope(const ImageView& gray);

// The crop with its columns shifted up or down so that its text is level; size unchanged, edges repeated. The
// view looks into `pixels` (gray), or into the crop itself where there is nothing to straighten.
ImageView straighten(const ImageView& crop, Color color, std::vector<std::uint8_t>& pixels);

}  // namespace lprfast::image
