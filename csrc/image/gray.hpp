// The gray levels of a crop, as the resize takes them.
#pragma once

#include <cstdint>

#include "core/cpu.hpp"
#include "core/views.hpp"
#include "image/kernels.hpp"
#include "image/prepare.hpp"

namespace lprfast::image {

const Kernels& kernels_for(Isa isa);

// Writes [height, width] gray levels: BT.601 luma of colours, docs/numerics.md. `gray` has kMargin writable
// bytes after them.
void to_gray(const ImageView& crop, Color color, const Kernels& kernels, std::uint8_t* gray);

}  // namespace lprfast::image
