#include "image/straighten.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace lprfast::image {
namespace {

constexpr int kSteepest = 20;  // degrees
constexpr int kDegreeStep = 2;
constexpr double kSmoothing = 0.06;     // of the height
constexpr std::int64_t kSamples = 128;  // rows or columns looked at along the shorter side, about
constexpr std::int64_t kBlocks = 16;    // of columns that are shifted as one

double slope_of(int degrees) { return std::tan(degrees * 3.14159265358979323846 / 180); }

// Sums of horizontal gray differences, [rows, kBlocks]: where the strokes of characters are.
struct Strokes {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<double> sums;
};

Strokes find_strokes(const ImageView& gray) {
  const std::int64_t step = std::max<std::int64_t>(1, std::min(gray.height, gray.width) / kSamples);
  Strokes strokes;
  strokes.rows = gray.height / step;
  strokes.columns = gray.width / step - 1;
  strokes.sums.assign(static_cast<std::size_t>(strokes.rows * kBlocks), 0.0);
  for (std::int64_t y = 0; y < strokes.rows; ++y) {
    const std::uint8_t* row = gray.data + y * step * gray.row_stride;
    double* sums = strokes.sums.data() + y * kBlocks;
    for (std::int64_t x = 0; x < strokes.columns; ++x, row += step) {
      sums[x * kBlocks / strokes.columns] += std::abs(row[step] - row[0]);
    }
  }
  return strokes;
}

// Strokes per row along lines of that slope.
std::vector<double> profile(const Strokes& strokes, double slope) {
  std::vector<double> sums(static_cast<std::size_t>(strokes.rows), 0.0);
  for (std::int64_t b = 0; b < kBlocks; ++b) {
    const double from_middle = (static_cast<double>(b) + 0.5) / kBlocks - 0.5;
    const auto shift =
        static_cast<std::int64_t>(std::lround(slope * from_middle * static_cast<double>(strokes.columns)));
    for (std::int64_t y = 0; y < strokes.rows; ++y) {
      const std::int64_t from = std::clamp<std::int64_t>(y + shift, 0, strokes.rows - 1);
      sums[static_cast<std::size_t>(y)] += strokes.sums[static_cast<std::size_t>(from * kBlocks + b)];
    }
  }
  return sums;
}

// Level lines of text have the sharpest steps between line and gap. A difference over the window is what the
// difference of the running means would be.
double sharpness(const std::vector<double>& profile) {
  const std::size_t window =
      std::max<std::size_t>(1, static_cast<std::size_t>(kSmoothing * static_cast<double>(profile.size()))) |
      1;
  double sum = 0;
  for (std::size_t y = window; y < profile.size(); ++y) {
    const double difference = profile[y] - profile[y - window];
    sum += difference * difference;
  }
  return sum;
}

}  // namespace

double text_slope(const ImageView& gray) {
  const Strokes strokes = find_strokes(gray);
  if (strokes.columns < kBlocks) return 0;
  double best = sharpness(profile(strokes, 0));
  double slope = 0;
  for (int degrees = -kSteepest; degrees <= kSteepest; degrees += kDegreeStep) {
    const double value = sharpness(profile(strokes, slope_of(degrees)));
    if (degrees == 0 || value <= best) continue;
    best = value;
    slope = slope_of(degrees);
  }
  return slope;
}

ImageView straighten(const ImageView& crop, Color color, std::vector<std::uint8_t>& pixels) {
  std::vector<std::uint8_t> plane;
  to_gray(crop, color, best_isa(), plane);
  const ImageView gray{plane.data(), crop.height, crop.width, 1, crop.width, 1, 0};
  const double slope = text_slope(gray);
  if (slope == 0) return crop;
  pixels.resize(static_cast<std::size_t>(crop.height * crop.width));
  const auto last = static_cast<double>(crop.height - 1);
  for (std::int64_t y = 0; y < crop.height; ++y) {
    std::uint8_t* out = pixels.data() + y * crop.width;
    for (std::int64_t x = 0; x < crop.width; ++x) {
      const double shift = slope * (static_cast<double>(x) - static_cast<double>(crop.width - 1) / 2);
      const double from = std::clamp(static_cast<double>(y) + shift, 0.0, last);
      const auto above = static_cast<std::int64_t>(from);
      const std::int64_t below = std::min(above + 1, crop.height - 1);
      const double share = from - static_cast<double>(above);
      const double value = plane[static_cast<std::size_t>(above * crop.width + x)] * (1 - share) +
                           plane[static_cast<std::size_t>(below * crop.width + x)] * share;
      out[x] = static_cast<std::uint8_t>(value + 0.5);
    }
  }
  return {pixels.data(), crop.height, crop.width, 1, crop.width, 1, 0};
}

}  // namespace lprfast::image
