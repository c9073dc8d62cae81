// Views: a pointer, a shape and strides. They own nothing and trust that they were checked once, at the edge.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lprfast {

// One uint8 crop [height, width, channels]. Strides are in bytes and may be negative.
struct ImageView {
  const std::uint8_t* data = nullptr;
  std::int64_t height = 0;
  std::int64_t width = 0;
  int channels = 1;  // 1, 3 or 4
  std::ptrdiff_t row_stride = 0;
  std::ptrdiff_t column_stride = 0;
  std::ptrdiff_t channel_stride = 0;
};

// Scores of one crop [steps, classes], contiguous: logits or log-posteriors, as the function that takes it
// says.
struct ScoresView {
  const float* data = nullptr;
  std::size_t steps = 0;
  std::size_t classes = 0;
  const float* row(std::size_t step) const { return data + step * classes; }
};

}  // namespace lprfast
