// Patches, blended: against operators run on the whole picture.
#include "pipeline/patches.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <vector>

#include "check.hpp"

namespace {

using namespace lprfast::pipeline;

constexpr int kScale = 2;

struct Image {
  Picture size;
  std::vector<float> planes;
  float at(int c, std::int64_t y, std::int64_t x) const {
    if (y < 0 || x < 0 || y >= size.height || x >= size.width) return 0;  // as a convolution pads
    return planes[static_cast<std::size_t>((c * size.height + y) * size.width + x)];
  }
};

Image noise(std::int64_t height, std::int64_t width, int channels) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> values(0, 1);
  Image image{{height, width, channels}, {}};
  image.planes.resize(static_cast<std::size_t>(height * width * channels));
  for (float& value : image.planes) value = values(random);
  return image;
}

// Enlarged twice by nearest neighbours, then the mean of `radius` pixels around, which is not alike in all
// four: each output pixel adds its own share of the place.
std::vector<float> enlarge(const Image& image, int radius) {
  std::vector<float> out;
  for (int c = 0; c < image.size.channels; ++c) {
    for (std::int64_t y = 0; y < image.size.height * kScale; ++y) {
      for (std::int64_t x = 0; x < image.size.width * kScale; ++x) {
        float sum = 0;
        for (int v = -radius; v <= radius; ++v) {
          for (int u = -radius; u <= radius; ++u) sum += image.at(c, y / kScale + v, x / kScale + u);
        }
        const float place = 0.01F * static_cast<float>(y % kScale * kScale + x % kScale);
        out.push_back(sum / static_cast<float>((2 * radius + 1) * (2 * radius + 1)) + place);
      }
    }
  }
  return out;
}

Image cut(const Image& image, const Patch& patch) {
  Image part{{patch.height, patch.width, image.size.channels}, {}};
  for (int c = 0; c < image.size.channels; ++c) {
    for (std::int64_t y = 0; y < patch.height; ++y) {
      for (std::int64_t x = 0; x < patch.width; ++x) {
        part.planes.push_back(image.at(c, patch.top + y, patch.left + x));
      }
    }
  }
  return part;
}

// The largest difference to the whole picture's, over all pixels and over those far from every border.
struct Difference {
  double everywhere = 0;
  std::int64_t largest_patch = 0;
  bool in_order = true;
};

Difference compare(const Image& image, int radius, const PatchSpec& spec) {
  const std::vector<float> whole = enlarge(image, radius);
  const std::int64_t height = image.size.height * kScale, width = image.size.width * kScale;
  Difference found;
  std::vector<float> patch_pixels;
  std::int64_t expected_row = 0;
  run_in_patches(
      image.size, kScale, spec,
      [&](const Patch& patch) {
        found.largest_patch = std::max(found.largest_patch, patch.height * patch.width);
        patch_pixels = enlarge(cut(image, patch), radius);
        return patch_pixels.data();
      },
      [&](std::int64_t y, const float* row) {
        found.in_order &= y == expected_row++;
        for (int c = 0; c < image.size.channels; ++c) {
          for (std::int64_t x = 0; x < width; ++x) {
            const float truth = whole[static_cast<std::size_t>((c * height + y) * width + x)];
            found.everywhere =
                std::max(found.everywhere, static_cast<double>(std::abs(row[c * width + x] - truth)));
          }
        }
      });
  found.in_order &= expected_row == height;
  return found;
}

void weights_are_smooth_and_add_up_to_one() {
  for (const std::int64_t length : {5, 16, 17, 31, 40, 41, 100, 257}) {
    const PatchSpec spec{16, 7, 2};
    const PatchAxis axis = patch_axis(length, 3, spec);
    CHECK(axis.starts.front() == 0 && axis.starts.back() + axis.size == length);
    std::vector<double> sums(static_cast<std::size_t>(length * 3), 0.0);
    for (std::size_t k = 0; k < axis.starts.size(); ++k) {
      CHECK(k == 0 || axis.starts[k] - axis.starts[k - 1] <= spec.size - spec.overlap);
      CHECK(static_cast<std::int64_t>(axis.weights[k].size()) == axis.size * 3);
      for (std::size_t i = 0; i < axis.weights[k].size(); ++i) {
        sums[static_cast<std::size_t>(axis.starts[k] * 3) + i] += axis.weights[k][i];
        // A raised cosine over 3 pixels rises at most pi / 2 / 9 from one place to the next.
        if (i > 0) CHECK(std::abs(axis.weights[k][i] - axis.weights[k][i - 1]) < 0.18);
      }
      // Towards a neighbour the margin has no say.
      if (k > 0) CHECK(axis.weights[k][0] == 0 && axis.weights[k][5] == 0 && axis.weights[k][6] > 0);
    }
    for (const double sum : sums) CHECK(std::abs(sum - 1) < 1e-6);
  }
}

void local_operators_come_out_as_of_the_whole_picture() {
  const PatchSpec spec{16, 8, 2};
  for (const std::int64_t width : {9, 16, 21, 50}) {
    const Image image = noise(37, width, 3);
    for (int radius = 0; radius <= 2; ++radius) {
      const Difference found = compare(image, radius, spec);
      CHECK(found.everywhere < 1e-6);
      CHECK(found.largest_patch <= 16 * 16);
      CHECK(found.in_order);
    }
  }
  // An operator that looks further sees the patches' edges: the comparison can fail.
  CHECK(compare(noise(37, 50, 1), 6, spec).everywhere > 1e-4);
}

void specs_that_cannot_be_used_are_refused() {
  CHECK_THROWS(patch_axis(100, 2, PatchSpec{16, 16, 2}), std::invalid_argument);
  CHECK_THROWS(patch_axis(100, 2, PatchSpec{16, 4, 2}), std::invalid_argument);
  CHECK_THROWS(patch_axis(0, 2, PatchSpec{16, 8, 2}), std::invalid_argument);
}

}  // namespace

int main() {
  weights_are_smooth_and_add_up_to_one();
  local_operators_come_out_as_of_the_whole_picture();
  specs_that_cannot_be_used_are_refused();
  return lprfast::testing::failures();
}
