#include "pipeline/pixels.hpp"

#include <algorithm>
#include <cmath>

namespace lprfast::pipeline {

void fill_plane(const BytePlane& plane, std::int64_t height, std::int64_t width, float* out) {
  constexpr float kScale = 1.0F / 255.0F;
  for (std::int64_t y = 0; y < plane.height; ++y) {
    const std::uint8_t* row = plane.data + y * plane.row_stride;
    float* to = out + y * width;
    for (std::int64_t x = 0; x < plane.width; ++x) to[x] = row[x * plane.column_stride] * kScale;
    std::fill(to + plane.width, to + width, to[plane.width - 1]);
  }
  const float* last = out + (plane.height - 1) * width;
  for (std::int64_t y = plane.height; y < height; ++y) std::copy_n(last, width, out + y * width);
}

bool put_row(const FloatRows& rows, std::int64_t y, std::int64_t width, std::vector<std::uint8_t>& picture) {
  std::uint8_t* to = picture.data() + y * width * rows.channels;
  bool finite = true;
  for (int c = 0; c < rows.channels; ++c) {
    const float* from = rows.data + c * rows.plane + y * rows.stride;
    std::uint8_t* place = to + (rows.bgr ? rows.channels - 1 - c : c);
    for (std::int64_t x = 0; x < width; ++x, place += rows.channels) {
      finite &= std::abs(from[x]) <= 3.0e38F;  // false for NaN
      // NaN fails both comparisons, and becomes 0.
      const float clamped = from[x] > 0 ? (from[x] < 1 ? from[x] : 1.0F) : 0.0F;
      *place = static_cast<std::uint8_t>(clamped * 255.0F + 0.5F);
    }
  }
  return finite;
}

}  // namespace lprfast::pipeline
