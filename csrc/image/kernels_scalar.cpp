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

constexpr int kStrip = 256;  // values worked on at a time, in loops that compilers can vectorise

std::int16_t saturate(std::int32_t value) {
  return static_cast<std::int16_t>(value < -32768 ? -32768 : value > 32767 ? 32767 : value);
}

// Adds one pair of taps to a strip of columns. 16-bit factors let compilers widen while they multiply.
void add_rows(const std::uint8_t* a, const std::uint8_t* b, const std::int16_t* taps, int count,
              std::int32_t* sums) {
  const std::int16_t tap_a = taps[0], tap_b = taps[1];
  for (int x = 0; x < count; ++x) {
    sums[x] += tap_a * static_cast<std::int16_t>(a[x]) + tap_b * static_cast<std::int16_t>(b[x]);
  }
}

void vertical(const GrayPlane& plane, const Axis& axis, const MiddleRows& middle) {
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
        add_rows(a, b, taps, count, sums);
      }
      std::int16_t* row = middle.data + y * middle.stride + x0;
      for (int x = 0; x < count; ++x) row[x] = saturate(sums[x] >> (axis.bits - 7));
    }
  }
}

void weighted_sums(const std::int16_t* row, const Axis& axis, int first, int count, std::int32_t* sums) {
  const std::ptrdiff_t pair_stride = 2 * static_cast<std::ptrdiff_t>(axis.out);
  for (int i = 0; i < count; ++i) {
    const std::int16_t* source = row + axis.start[first + i];
    const std::int16_t* taps = axis.taps + 2 * (first + i);
    std::int32_t sum = 0;
    for (int j = 0; j < axis.pairs; ++j, source += 2, taps += pair_stride) {
      sum += taps[0] * source[0] + taps[1] * source[1];
    }
    sums[i] = sum;
  }
}

void clamp_levels(std::int32_t* levels, int count, int shift) {
  const std::int32_t low = -(128 << shift);
  const std::int32_t high = 127 << shift;
  for (int i = 0; i < count; ++i) levels[i] = levels[i] < low ? low : levels[i] > high ? high : levels[i];
}

void normalise(const std::int32_t* levels, int count, float factor, float offset, float* out) {
  for (int i = 0; i < count; ++i) {
    const float product = static_cast<float>(levels[i]) * factor;
    out[i] = product + offset;
  }
}

void round_to_gray(const std::int32_t* levels, int count, int shift, std::uint8_t* gray) {
  const std::int32_t half = 1 << (shift - 1);
  for (int i = 0; i < count; ++i) gray[i] = static_cast<std::uint8_t>(((levels[i] + half) >> shift) + 128);
}

void horizontal(const MiddleRows& middle, const Axis& axis, const Target& target) {
  const int shift = axis.bits + 7;
  std::int32_t levels[kStrip];
  for (int y = 0; y < middle.height; ++y) {
    const std::int16_t* row = middle.data + y * middle.stride;
    for (int x = 0; x < axis.out; x += kStrip) {
      const int count = axis.out - x < kStrip ? axis.out - x : kStrip;
      weighted_sums(row, axis, x, count, levels);
      clamp_levels(levels, count, shift);
      normalise(levels, count, target.factor, target.offset, target.out + y * target.stride + x);
      if (target.gray == nullptr) continue;
      round_to_gray(levels, count, shift, target.gray + y * target.gray_stride + x);
    }
  }
}

void measure(const Band& band, std::uint16_t* column_sums, Sums* sums) {
  for (int y = band.first; y < band.last; ++y) {
    const std::uint8_t* row = band.data + y * band.stride;
    std::int32_t levels = 0, squares = 0, clipped = 0;  // of one row, at most 4096 * 255 * 255
    for (int x = 0; x < band.width; ++x) {
      const std::int32_t p = row[x];
      column_sums[x] = static_cast<std::uint16_t>(column_sums[x] + p);
      levels += p;
      squares += p * p;
      clipped += (p == 0 || p == 255) ? 1 : 0;
    }
    sums->levels += levels;
    sums->squares += squares;
    sums->clipped += clipped;
    if (y == 0 || y == band.height - 1) continue;
    for (int x = 1; x + 1 < band.width; ++x) {
      const std::int32_t value =
          4 * row[x] - row[x - 1] - row[x + 1] - row[x - band.stride] - row[x + band.stride];
      sums->laplacian += value;
      sums->laplacian_squares += value * value;
    }
  }
}

}  // namespace

const Kernels kScalarKernels = {to_gray, vertical, horizontal, measure};

}  // namespace lprfast::image
