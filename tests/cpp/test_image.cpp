// Resize coefficients, memory bounds (crops sit in allocations of exactly their size), and the checks of
// prepare.
#include <array>
#include <cstdlib>
#include <limits>
#include <random>
#include <stdexcept>

#include "check.hpp"
#include "image/axis.hpp"
#include "image_paths.hpp"

using namespace lprfast;
using image::Axis;
using image::AxisCache;
using image::AxisPlan;
using image::Color;
using image::Fit;
using image::Kernel;
using image::PrepareSpec;

namespace {

int tap(const Axis& axis, int i, int j) {
  return axis.taps[(static_cast<std::ptrdiff_t>(j / 2) * axis.out + i) * 2 + j % 2];
}

// Taps add up to one exactly, lie inside the image, and are small enough for 32-bit sums (docs/numerics.md).
void check_axis(int in, int out, Kernel kernel, int max_bits) {
  const AxisPlan plan(in, out, kernel, max_bits);
  const Axis axis = plan.view();
  bool sums_right = true, inside = true, in_order = true, small = true;
  for (int i = 0; i < out; ++i) {
    int sum = 0, size = 0;
    for (int j = 0; j < 2 * axis.pairs; ++j) {
      sum += tap(axis, i, j);
      size += std::abs(tap(axis, i, j));
      inside = inside && (tap(axis, i, j) == 0 || axis.start[i] + j < in);
    }
    sums_right = sums_right && sum == 1 << axis.bits;
    small = small && size < 1.28 * (1 << axis.bits);
    inside = inside && axis.start[i] >= 0;
    in_order = in_order && (i == 0 || axis.start[i] >= axis.start[i - 1]);
  }
  CHECK(sums_right);
  CHECK(inside);
  CHECK(in_order);
  CHECK(small);
  CHECK(axis.bits >= 14 && axis.bits <= max_bits);
}

void test_axes() {
  for (const Kernel kernel : {Kernel::bilinear, Kernel::bicubic}) {
    for (const int out : {1, 2, 3, 5, 16, 31, 32, 100, 128, 255}) {
      for (int in = 1; in < 300; ++in) check_axis(in, out, kernel, image::kHorizontalBits);
      for (const int in : {511, 1000, 4096, 10000, 16384}) {
        check_axis(in, out, kernel, image::kHorizontalBits);
        check_axis(in, out, kernel, image::kVerticalBits);
      }
    }
  }
}

void test_taps_by_hand() {
  const AxisPlan doubling(2, 4, Kernel::bilinear, 14);
  const int expected[4][2] = {{16384, 0}, {12288, 4096}, {4096, 12288}, {0, 16384}};
  CHECK(doubling.view().pairs == 1);
  for (int i = 0; i < 4; ++i) {
    CHECK(tap(doubling.view(), i, 0) == expected[i][0]);
    CHECK(tap(doubling.view(), i, 1) == expected[i][1]);
  }
  const AxisPlan same(9, 9, Kernel::bicubic, 14);
  CHECK(same.view().pairs == 1);
  CHECK(same.view().start[4] == 4 && tap(same.view(), 4, 0) == 16384 && tap(same.view(), 4, 1) == 0);
}

void test_cache_keeps_and_replaces() {
  AxisCache cache(14);
  const std::int16_t* first = cache.get(60, 128, Kernel::bicubic).taps;
  CHECK(cache.get(100, 128, Kernel::bicubic).in == 100);
  CHECK(cache.get(60, 128, Kernel::bicubic).taps == first);
  CHECK(cache.get(60 + 256, 128, Kernel::bicubic).in == 316);  // the same slot
  CHECK(cache.get(60, 128, Kernel::bilinear).pairs == 1);
  CHECK(cache.get(60, 128, Kernel::bicubic).pairs == 2);
  CHECK(cache.get(16384, 4096, Kernel::bicubic).out == 4096);  // too large for a slot
  CHECK(cache.get(16384, 4096, Kernel::bicubic).in == 16384);
}

// Every size up to 70 x 70 or so, in memory that ends where the crop ends.
void test_memory_bounds() {
  std::mt19937 random(7);
  image::Workspace workspace;
  for (int height = 1; height <= 66; height += 5) {
    for (int width = 1; width <= 70; ++width) {
      const int channels = std::array<int, 3>{1, 3, 4}[random() % 3];
      std::vector<std::uint8_t> pixels(static_cast<std::size_t>(height * width * channels));
      for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(random());
      const ImageView crop{pixels.data(), height, width, channels, width * channels, channels, 1};
      PrepareSpec spec;
      spec.height = 1 + static_cast<int>(random() % 40);
      spec.width = 1 + static_cast<int>(random() % 140);
      spec.fit = random() % 2 == 0 ? Fit::stretch : Fit::letterbox;
      spec.kernel = random() % 2 == 0 ? Kernel::bilinear : Kernel::bicubic;
      CHECK(testing::prepare_everywhere(crop, Color::bgr, spec, workspace).same_on_all_paths);
    }
  }
}

void test_last_three_of_four_channels() {
  // The fourth byte of the last pixel is outside the allocation.
  for (int width = 1; width < 40; ++width) {
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(4 * width - 1), 50);
    const ImageView crop{pixels.data(), 1, width, 3, 4 * width, 4, 1};
    image::Workspace workspace;
    const auto result = testing::prepare_everywhere(crop, Color::rgb, PrepareSpec{}, workspace);
    CHECK(result.same_on_all_paths);
    CHECK(result.values.front() == (50 - 127.5F) / 64);
  }
}

void test_checks() {
  const float infinity = std::numeric_limits<float>::infinity();
  const auto spec = [](int height, int width, float mean, float scale) {
    PrepareSpec made;
    made.height = height;
    made.width = width;
    made.mean = mean;
    made.scale = scale;
    return made;
  };
  image::check(PrepareSpec{});
  image::check(spec(1, 4096, -5, -1));
  CHECK_THROWS(image::check(spec(0, 128, 0, 1)), std::invalid_argument);
  CHECK_THROWS(image::check(spec(32, 4097, 0, 1)), std::invalid_argument);
  CHECK_THROWS(image::check(spec(32, 128, infinity, 1)), std::invalid_argument);
  CHECK_THROWS(image::check(spec(32, 128, 0, 0)), std::invalid_argument);
  CHECK_THROWS(image::check(spec(32, 128, 0, infinity)), std::invalid_argument);
  const std::uint8_t pixel = 0;
  image::check(ImageView{&pixel, 16384, 16384, 1, 0, 0, 0});
  CHECK_THROWS(image::check(ImageView{&pixel, 16385, 1, 1, 0, 0, 0}), std::invalid_argument);
  CHECK_THROWS(image::check(ImageView{&pixel, 1, 0, 1, 0, 0, 0}), std::invalid_argument);
  CHECK_THROWS(image::kernel_from_name("nearest"), std::invalid_argument);
}

}  // namespace

int main() {
  test_axes();
  test_taps_by_hand();
  test_cache_keeps_and_replaces();
  test_memory_bounds();
  test_last_three_of_four_channels();
  test_checks();
  return testing::failures();
}
