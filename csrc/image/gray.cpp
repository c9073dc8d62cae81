#include "image/gray.hpp"

#include <utility>

namespace lprfast::image {
namespace {

// BT.601 luma, in 1 / 16384; the three add up to 16384.
constexpr std::int16_t kRed = 4899;
constexpr std::int16_t kGreen = 9617;
constexpr std::int16_t kBlue = 1868;

// Colour to gray, row by row or, when the rows follow one another, in one go.
void color_to_gray(const ImageView& crop, Color color, const Kernels& kernels, std::uint8_t* gray) {
  std::int16_t weights[3] = {kBlue, kGreen, kRed};
  if (color == Color::rgb) std::swap(weights[0], weights[2]);
  const std::uint8_t* pixels = crop.data;
  std::ptrdiff_t channel_stride = crop.channel_stride;
  if (channel_stride == -1) {  // image[..., ::-1]: the same bytes in the other order
    pixels -= 2;
    channel_stride = 1;
    std::swap(weights[0], weights[2]);
  }
  const auto pixel_bytes = static_cast<int>(crop.column_stride);
  const bool packed = channel_stride == 1 && (crop.column_stride == 3 || crop.column_stride == 4);
  if (packed && crop.row_stride == crop.width * crop.column_stride) {
    kernels.to_gray(pixels, crop.height * crop.width, pixel_bytes, weights, gray);
    return;
  }
  for (std::int64_t y = 0; y < crop.height; ++y, gray += crop.width) {
    const std::uint8_t* row = pixels + y * crop.row_stride;
    if (packed) {
      kernels.to_gray(row, crop.width, pixel_bytes, weights, gray);
      continue;
    }
    for (std::int64_t x = 0; x < crop.width; ++x, row += crop.column_stride) {
      const std::uint8_t pixel[3] = {row[0], row[channel_stride], row[2 * channel_stride]};
      kScalarKernels.to_gray(pixel, 1, 3, weights, gray + x);
    }
  }
}

void copy_gray(const ImageView& crop, std::uint8_t* gray) {
  for (std::int64_t y = 0; y < crop.height; ++y, gray += crop.width) {
    const std::uint8_t* row = crop.data + y * crop.row_stride;
    for (std::int64_t x = 0; x < crop.width; ++x) gray[x] = row[x * crop.column_stride];
  }
}

}  // namespace

const Kernels& kernels_for(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::avx512) return kAvx512Kernels;
  if (isa == Isa::avx2) return kAvx2Kernels;
#endif
  (void)isa;
  return kScalarKernels;
}

void to_gray(const ImageView& crop, Color color, const Kernels& kernels, std::uint8_t* gray) {
  if (crop.channels == 1) {
    copy_gray(crop, gray);
  } else {
    color_to_gray(crop, color, kernels, gray);
  }
}

}  // namespace lprfast::image
