#include "pipeline/patches.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace lprfast::pipeline {
namespace {

void check(std::int64_t length, int scale, const PatchSpec& spec) {
  const bool usable = length >= 1 && scale >= 1 && spec.margin >= 0 && 2 * spec.margin < spec.overlap &&
                      spec.overlap < spec.size;
  if (usable) return;
  throw std::invalid_argument("patches: expected 0 <= 2 * margin < overlap < size, got margin " +
                              std::to_string(spec.margin) + ", overlap " + std::to_string(spec.overlap) +
                              " and size " + std::to_string(spec.size));
}

std::vector<std::int64_t> spread(std::int64_t length, std::int64_t size, std::int64_t overlap) {
  const std::int64_t step = size - overlap;
  const std::int64_t count = length <= size ? 1 : 1 + (length - size + step - 1) / step;
  std::vector<std::int64_t> starts(static_cast<std::size_t>(count), 0);
  for (std::int64_t k = 1; k < count; ++k) {
    starts[static_cast<std::size_t>(k)] = k * (length - size) / (count - 1);
  }
  return starts;
}

// 0 up to `margin` pixels from the patch's edge, 1 from `overlap - margin` on, a raised cosine between.
double ramp(double distance, const PatchSpec& spec) {
  const auto wide = static_cast<double>(spec.overlap - 2 * spec.margin);
  const double t = std::min(1.0, std::max(0.0, (distance - static_cast<double>(spec.margin)) / wide));
  return 0.5 - 0.5 * std::cos(3.14159265358979323846 * t);
}

// Adds one patch to the band [rows, channels, width], weighted.
void add_patch(const float* patch, const std::vector<float>& down, const std::vector<float>& across,
               std::int64_t left, const Picture& enlarged, float* band) {
  const std::size_t rows = down.size(), columns = across.size();
  for (int c = 0; c < enlarged.channels; ++c) {
    for (std::size_t y = 0; y < rows; ++y, patch += columns) {
      float* to = band + (static_cast<std::int64_t>(y) * enlarged.channels + c) * enlarged.width + left;
      for (std::size_t x = 0; x < columns; ++x) to[x] += down[y] * across[x] * patch[x];
    }
  }
}

}  // namespace

PatchAxis patch_axis(std::int64_t length, int scale, const PatchSpec& spec) {
  check(length, scale, spec);
  PatchAxis axis;
  axis.size = std::min(length, spec.size);
  axis.starts = spread(length, axis.size, spec.overlap);
  const auto patches = axis.starts.size();
  std::vector<double> sums(static_cast<std::size_t>(length * scale), 0.0);
  std::vector<std::vector<double>> raw(patches);
  for (std::size_t k = 0; k < patches; ++k) {
    for (std::int64_t i = 0; i < axis.size * scale; ++i) {
      const double place = (static_cast<double>(i) + 0.5) / scale;
      const double before = k == 0 ? 1 : ramp(place, spec);
      const double after = k + 1 == patches ? 1 : ramp(static_cast<double>(axis.size) - place, spec);
      raw[k].push_back(before * after);
      sums[static_cast<std::size_t>(axis.starts[k] * scale + i)] += before * after;
    }
  }
  axis.weights.resize(patches);
  for (std::size_t k = 0; k < patches; ++k) {
    const double* sum = sums.data() + axis.starts[k] * scale;
    for (const double weight : raw[k]) axis.weights[k].push_back(static_cast<float>(weight / *sum++));
  }
  return axis;
}

void run_in_patches(const Picture& picture, int scale, const PatchSpec& spec, const RunPatch& run,
                    const TakeRow& take) {
  const PatchAxis down = patch_axis(picture.height, scale, spec);
  const PatchAxis across = patch_axis(picture.width, scale, spec);
  const Picture enlarged{picture.height * scale, picture.width * scale, picture.channels};
  const std::int64_t row = enlarged.channels * enlarged.width;
  std::vector<float> band(static_cast<std::size_t>(down.size * scale * row), 0.0F);
  for (std::size_t j = 0; j < down.starts.size(); ++j) {
    for (std::size_t i = 0; i < across.starts.size(); ++i) {
      const float* patch = run({down.starts[j], across.starts[i], down.size, across.size});
      add_patch(patch, down.weights[j], across.weights[i], across.starts[i] * scale, enlarged, band.data());
    }
    // Rows above the next patches are complete; the others move up.
    const bool last = j + 1 == down.starts.size();
    const std::int64_t next = last ? picture.height : down.starts[j + 1];
    const std::int64_t complete = (next - down.starts[j]) * scale;
    for (std::int64_t y = 0; y < complete; ++y) take(down.starts[j] * scale + y, band.data() + y * row);
    if (!last) {
      std::copy(band.begin() + complete * row, band.end(), band.begin());
      std::fill(band.end() - complete * row, band.end(), 0.0F);
    }
  }
}

}  // namespace lprfast::pipeline
