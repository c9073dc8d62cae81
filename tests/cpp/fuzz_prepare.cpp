// Random crops, layouts and specs: no bad access, no value outside its range, the same bits on every path.
// With clang: -fsanitize=fuzzer and LPRFAST_LIBFUZZER defined. Otherwise main(seconds [, seed]) makes the
// inputs.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "image_paths.hpp"

using namespace lprfast;

namespace {

// Takes the input apart; past its end everything is 0.
class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  int next() {
    const int value = at_ < size_ ? data_[at_] : 0;
    ++at_;
    return value;
  }
  int up_to(int largest) { return 1 + (next() * 256 + next()) % largest; }
  bool flag() { return next() % 2 == 1; }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

image::PrepareSpec make_spec(Bytes& bytes) {
  image::PrepareSpec spec;
  if (bytes.flag()) {
    spec.height = bytes.up_to(80);
    spec.width = bytes.up_to(300);
  }
  spec.fit = bytes.flag() ? image::Fit::letterbox : image::Fit::stretch;
  spec.kernel = bytes.flag() ? image::Kernel::bilinear : image::Kernel::bicubic;
  spec.mean = static_cast<float>(bytes.next());
  spec.scale = bytes.flag() ? -1.0F : 1.0F / 64.0F;
  return spec;
}

// Sides of a crop: mostly a plate's, now and then long.
int side(Bytes& bytes) {
  const int kind = bytes.next() % 16;
  return bytes.up_to(kind == 0 ? 3000 : kind < 4 ? 8 : 220);
}

// A crop in memory that holds its bytes and none more, with gaps and directions as the input says.
struct Crop {
  std::vector<std::uint8_t> memory;
  ImageView view;
};

Crop make_crop(Bytes& bytes) {
  Crop crop;
  ImageView& view = crop.view;
  view.height = side(bytes);
  view.width = view.height > 300 ? 1 + bytes.next() % 40 : side(bytes);
  view.channels = std::array<int, 3>{1, 3, 4}[static_cast<std::size_t>(bytes.next() % 3)];
  const bool planar = bytes.flag();
  view.channel_stride = planar ? view.height * view.width : 1;
  view.column_stride = planar ? 1 : view.channels + bytes.next() % 2;
  view.row_stride = view.width * view.column_stride + bytes.next() % 4;
  if (planar) view.channel_stride = view.height * view.row_stride;
  const auto span = [](std::int64_t count, std::ptrdiff_t stride) { return (count - 1) * stride; };
  const std::ptrdiff_t size = span(view.height, view.row_stride) + span(view.width, view.column_stride) +
                              span(view.channels, view.channel_stride) + 1;
  crop.memory.resize(static_cast<std::size_t>(size));
  std::minstd_rand noise(static_cast<unsigned>(bytes.up_to(65535)));
  const bool extreme = bytes.flag();
  for (std::uint8_t& value : crop.memory) {
    const unsigned level = (noise() >> 8) & 255U;
    value = static_cast<std::uint8_t>(extreme ? (level > 127 ? 255 : 0) : level);
  }
  view.data = crop.memory.data();
  const auto flip = [&](std::int64_t count, std::ptrdiff_t& stride) {
    if (!bytes.flag()) return;
    view.data += span(count, stride);
    stride = -stride;
  };
  flip(view.height, view.row_stride);
  flip(view.width, view.column_stride);
  flip(view.channels, view.channel_stride);
  return crop;
}

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz_prepare: %s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  const image::PrepareSpec spec = make_spec(bytes);
  const image::Color color = bytes.flag() ? image::Color::rgb : image::Color::bgr;
  const Crop crop = make_crop(bytes);
  image::check(spec);
  image::check(crop.view);
  // Scratch memory only grows: in a fresh workspace an overrun by one shows, in a kept one stale values do.
  static image::Workspace kept;
  image::Workspace fresh;
  image::Workspace& workspace = bytes.flag() ? kept : fresh;
  const testing::Prepared result = testing::prepare_everywhere(crop.view, color, spec, workspace);
  require(result.same_on_all_paths, "the instruction sets disagree");
  const float black = (0 - spec.mean) * spec.scale, white = (255 - spec.mean) * spec.scale;
  const float low = std::min({black, white, 0.0F}) - 1e-4F, high = std::max({black, white, 0.0F}) + 1e-4F;
  for (const float value : result.values) require(value >= low && value <= high, "a value is out of range");
  require(result.summary.sharpness >= 0 && result.summary.contrast >= 0, "a variance is negative");
  require(result.summary.contrast <= 128, "the contrast is too large");
  require(result.summary.clipped >= 0 && result.summary.clipped <= 1, "the clipped share is no share");
  return 0;
}

#ifndef LPRFAST_LIBFUZZER
int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1;
  const unsigned seed = argc > 2 ? static_cast<unsigned>(std::atol(argv[2])) : std::random_device{}();
  std::printf("fuzz_prepare: seed %u\n", seed);
  std::fflush(stdout);
  std::mt19937 random(seed);
  const auto start = std::chrono::steady_clock::now();
  long count = 0;
  while (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < seconds) {
    std::vector<std::uint8_t> input(40);
    for (std::uint8_t& value : input) value = static_cast<std::uint8_t>(random());
    LLVMFuzzerTestOneInput(input.data(), input.size());
    ++count;
  }
  std::printf("fuzz_prepare: %ld inputs\n", count);
}
#endif
