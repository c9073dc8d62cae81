// The plain path, which also says what the others must compute.
#include "image/kernels.hpp"

namespace lprfast::image {
namespace {

void to_gray(const std::uint8_t* pixels, std::int64_t count, int pixel_bytes, const std::int16_t* weights,
             std::uint8_t* gray) {
  const int w0 = weights[0], w1 = weights[1], w2 = weights[2];
  for (std::int64_t i = 0; i < count; ++i, pixels += pixel_bytes) {
    gray[i] = static_cast<std::uint8_t>((w0 * pixels[0] + w1 * pixels[1] + w2 * pixels[2] + (1 << 13)) >> 14);
  }
}

std::int16_t saturate(std::int32_t value) {
  return static_cast<std::int16_t>(value < -32768 ? -32768 : value > 32767 ? 32767 : value);
}

// Adds one pair of taps to a strip of columns.
void add_rows(const std::uint8_t* a, const std::uint8_t* b, int tap_a, int tap_b, int count,
              std::int32_t* sums) {
  for (int x = 0; x < count; ++x) sums[x] += tap_a * a[x] + tap_b * b[x];
}

void vertical(const GrayPlane& plane, const Axis& axis, const MiddleRows& middle) {
  constexpr int kStrip = 256;
  std::int32_t sums[kStrip];
  const std::int32_t bias = -(128 << axis.bits) + (1 << (axis.bits - 8));
  for (int y = 0; y < axis.out; ++y) {
    for (int x0 = 0; x0 < plane.width; x0 += kStrip) {
      const int count = plane.width - x0 < kStrip ? plane.width - x0 : kStrip;
      for (int x = 0; x < count; ++x) sums[x] = bias;
      for (int j = 0; j < axis.pairs; ++j) {
        const int row_a = axis.start[y] + 2 * j;
        // Past the last row only zero taps remain; any row will do for them.
        const int last = plane.height - 1;
        const std::uint8_t* a = plane.data + (row_a < last ? row_a : last) * plane.stride + x0;
        const std::uint8_t* b = plane.data + (row_a + 1 < last ? row_a + 1 : last) * plane.stride + x0;
        const std::int16_t* taps = axis.taps + (static_cast<std::ptrdiff_t>(j) * axis.out + y) * 2;
        add_rows(a, b, taps[0], taps[1], count, sums);
      }
      std::int16_t* row = middle.data + y * middle.stride + x0;
      for (int x = 0; x < count; ++x) row[x] = saturate(sums[x] >> (axis.bits - 7));
    }
  }
}

void horizontal(const MiddleRows& middle, const Axis& axis, const Target& target) {
  const int shift = axis.bits + 7;
  const std::int32_t low = -(128 << shift);
  const std::int32_t high = 127 << shift;
  for (int y = 0; y < middle.height; ++y) {
    const std::int16_t* row = middle.data + y * middle.stride;
    for (int x = 0; x < axis.out; ++x) {
      const std::int16_t* source = row + axis.start[x];
      std::int32_t level = 0;
      for (int j = 0; j < axis.pairs; ++j) {
        const std::int16_t* taps = axis.taps + (static_cast<std::ptrdiff_t>(j) * axis.out + x) * 2;
        level += taps[0] * source[2 * j] + taps[1] * source[2 * j + 1];
      }
      level = level < low ? low : level > high ? high : level;
      const float product = static_cast<float>(level) * target.factor;
      target.out[y * target.stride + x] = product + target.offset;
      if (target.gray != nullptr) {
        target.gray[y * target.gray_stride + x] =
            static_cast<std::uint8_t>(((level + (1 << (shift - 1))) >> shift) + 128);
      }
    }
  }
}

void measure(const Band& band, std::uint16_t* column_sums, Sums* sums) {
  for (int y = band.first; y < band.last; ++y) {
    const std::uint8_t* row = band.data + y * band.stride;
    for (int x = 0; x < band.width; ++x) {
      const int p = row[x];
      column_sums[x] = static_cast<std::uint16_t>(column_sums[x] + p);
      sums->levels += p;
      sums->squares += p * p;
      sums->clipped += (p == 0 || p == 255) ? 1 : 0;
    }
    if (y == 0 || y == band.height - 1) continue;
    for (int x = 1; x + 1 < band.width; ++x) {
      const int laplacian =
          4 * row[x] - row[x - 1] - row[x + 1] - row[x - band.stride] - row[x + band.stride];
      sums->laplacian += laplacian;
      sums->laplacian_squares += laplacian * laplacian;
    }
  }
}

}  // namespace

const Kernels kScalarKernels = {to_gray, vertical, horizontal, measure};

}  // namespace lprfast::image
