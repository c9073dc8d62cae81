// The loops over pixels, once per instruction set. Plain pointers and integers only: the files that implement
// them are compiled with other flags than the rest, and must not emit code that the rest could link to.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lprfast::image {

// Coefficients of one axis. Output i is the sum over j < 2 * pairs of tap(i, j) * input[start[i] + j].
struct Axis {
  int in = 0;
  int out = 0;
  int pairs = 0;                        // taps come in pairs, as multiply-add instructions want them
  int bits = 0;                         // the taps of an output add up to exactly 1 << bits
  int step4 = 0;                        // largest start[i + 3] - start[i]
  int step16 = 0;                       // largest start[i + 15] - start[i]
  const std::int32_t* start = nullptr;  // [out], never decreasing
  const std::int16_t* taps = nullptr;   // [pairs, out, 2]
};

// A gray crop. Rows of 32 pixels and more may be read to their end only; narrower ones have 32 readable
// bytes.
struct GrayPlane {
  const std::uint8_t* data = nullptr;
  std::ptrdiff_t stride = 0;
  int height = 0;
  int width = 0;
};

// Between the passes: gray - 128 with 7 fractional bits. Each row has 64 readable values past its last tap.
struct MiddleRows {
  std::int16_t* data = nullptr;
  std::ptrdiff_t stride = 0;  // in values
  int height = 0;
};

// Where the second pass writes: float(level) * factor + offset, level = gray - 128 with fractional bits.
struct Target {
  float* out = nullptr;
  std::ptrdiff_t stride = 0;
  float factor = 0;
  float offset = 0;
  std::uint8_t* gray = nullptr;  // the rounded gray levels as well, unless null
  std::ptrdiff_t gray_stride = 0;
};

struct Sums {
  std::int64_t levels = 0;     // of the gray levels
  std::int64_t squares = 0;    // of the gray levels
  std::int64_t clipped = 0;    // pixels at 0 or 255
  std::int64_t laplacian = 0;  // over pixels with four neighbours
  std::int64_t laplacian_squares = 0;
};

// Some rows [first, last) of a gray picture that has `margin` readable bytes before and after it.
struct Band {
  const std::uint8_t* data = nullptr;
  std::ptrdiff_t stride = 0;
  int height = 0;  // of the whole picture
  int width = 0;
  int first = 0;
  int last = 0;  // (last - first) * width <= kBandPixels and last - first <= 256
};
constexpr int kBandPixels = 8192;
constexpr int kMargin = 64;

struct Kernels {
  // gray = (sum of weight * channel + half) >> 14 for `count` pixels of `pixel_bytes` (3 or 4) bytes.
  void (*to_gray)(const std::uint8_t* pixels, std::int64_t count, int pixel_bytes,
                  const std::int16_t* weights, std::uint8_t* gray);
  void (*vertical)(const GrayPlane& plane, const Axis& axis, const MiddleRows& middle);
  void (*horizontal)(const MiddleRows& middle, const Axis& axis, const Target& target);
  // Adds to `sums` and to column_sums [width + kMargin].
  void (*measure)(const Band& band, std::uint16_t* column_sums, Sums* sums);
};

extern const Kernels kScalarKernels;
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;

}  // namespace lprfast::image
