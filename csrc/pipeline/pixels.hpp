// Between uint8 pixels and the float planes of a super-resolution model, 0-1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lprfast::pipeline {

// One channel of a crop; strides in bytes.
struct BytePlane {
  const std::uint8_t* data = nullptr;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::ptrdiff_t row_stride = 0;
  std::ptrdiff_t column_stride = 1;
};

// Writes [height, width] = value / 255: the plane, its last row and column repeated beyond it.
void fill_plane(const BytePlane& plane, std::int64_t height, std::int64_t width, float* out);

// Rows of a picture in planes, red first: row y of channel c begins at data + c * plane + y * stride.
struct FloatRows {
  const float* data = nullptr;
  std::int64_t stride = 0;
  std::int64_t plane = 0;
  int channels = 1;
  bool bgr = false;  // what is written: blue first
};

// Writes row y of a picture [height, width, channels], 0-1 to 0-255, clamped and rounded. False when a value
// is not finite.
bool put_row(const FloatRows& rows, std::int64_t y, std::int64_t width, std::vector<std::uint8_t>& picture);

}  // namespace lprfast::pipeline
