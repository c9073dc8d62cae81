#include "image/prepare.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "image/axis.hpp"
#include "image/gray.hpp"
#include "image/kernels.hpp"
#include "image/summary.hpp"

namespace lprfast::image {

struct Workspace::Impl {
  AxisCache vertical{kVerticalBits};
  AxisCache horizontal{kHorizontalBits};
  std::vector<std::uint8_t> crop_gray;     // the crop in gray, when it cannot be read in place
  std::vector<std::int16_t> middle;        // after the vertical pass
  std::vector<std::uint8_t> resized_gray;  // at reading size, for the summary
  std::vector<std::uint16_t> column_sums;
};

Workspace::Workspace() : impl_(std::make_unique<Impl>()) {}
Workspace::~Workspace() = default;
Workspace::Workspace(Workspace&&) noexcept = default;
Workspace& Workspace::operator=(Workspace&&) noexcept = default;

namespace {

constexpr std::int64_t kLargestSide = 16384;
constexpr std::size_t kKeptBytes = 8 * 1024 * 1024;  // scratch above this is given back after the crop
constexpr int kInPlaceWidth = 32;

template <class T>
void ensure_size(std::vector<T>& buffer, std::size_t size) {
  if (buffer.size() < size) buffer.resize(size);
}

template <class T>
void give_back_large(std::vector<T>& buffer) {
  if (buffer.capacity() * sizeof(T) > kKeptBytes) std::vector<T>().swap(buffer);
}

// 64-byte vectors that straddle two cache lines cost twice.
std::int16_t* cache_aligned(std::int16_t* values) {
  const std::uintptr_t misplaced = reinterpret_cast<std::uintptr_t>(values) % 64;
  return misplaced == 0 ? values : values + (64 - misplaced) / sizeof(std::int16_t);
}

struct Rectangle {
  int top = 0;
  int left = 0;
  int height = 0;
  int width = 0;
};

// Where the resized crop stands in the output.
Rectangle place(const ImageView& crop, const PrepareSpec& spec) {
  Rectangle place{0, 0, spec.height, spec.width};
  if (spec.fit == Fit::stretch) return place;
  // Sides are rounded to the nearest pixel, half upwards, in integers.
  if (crop.width * spec.height >= crop.height * spec.width) {
    place.height = static_cast<int>((2 * crop.height * spec.width + crop.width) / (2 * crop.width));
  } else {
    place.width = static_cast<int>((2 * crop.width * spec.height + crop.height) / (2 * crop.height));
  }
  place.height = std::max(1, place.height);
  place.width = std::max(1, place.width);
  place.top = (spec.height - place.height) / 2;
  place.left = (spec.width - place.width) / 2;
  return place;
}

GrayPlane gray_plane(const ImageView& crop, Color color, const Kernels& kernels,
                     std::vector<std::uint8_t>& scratch) {
  GrayPlane plane{crop.data, crop.row_stride, static_cast<int>(crop.height), static_cast<int>(crop.width)};
  if (crop.channels == 1 && crop.column_stride == 1 && crop.width >= kInPlaceWidth) return plane;
  ensure_size(scratch, static_cast<std::size_t>(crop.height * crop.width) + kMargin);
  to_gray(crop, color, kernels, scratch.data());
  plane.data = scratch.data();
  plane.stride = crop.width;
  return plane;
}

}  // namespace

Color color_from_name(const std::string& name) {
  if (name == "bgr") return Color::bgr;
  if (name == "rgb") return Color::rgb;
  throw std::invalid_argument("color: expected 'bgr' or 'rgb', got '" + name + "'");
}

Fit fit_from_name(const std::string& name) {
  if (name == "stretch") return Fit::stretch;
  if (name == "letterbox") return Fit::letterbox;
  throw std::invalid_argument("fit: expected 'stretch' or 'letterbox', got '" + name + "'");
}

Kernel kernel_from_name(const std::string& name) {
  if (name == "bilinear") return Kernel::bilinear;
  if (name == "bicubic") return Kernel::bicubic;
  throw std::invalid_argument("kernel: expected 'bilinear' or 'bicubic', got '" + name + "'");
}

void check(const PrepareSpec& spec) {
  const auto side = [](const char* name, int value) {
    if (value >= 1 && value <= 4096) return;
    throw std::invalid_argument(std::string(name) + ": expected 1 to 4096 pixels, got " +
                                std::to_string(value));
  };
  side("height", spec.height);
  side("width", spec.width);
  const auto usable = [](float value) { return std::isfinite(value) && std::abs(value) <= 1e6F; };
  if (!usable(spec.mean)) {
    throw std::invalid_argument("mean: expected gray levels, at most a million in size, got " +
                                std::to_string(spec.mean));
  }
  if (!usable(spec.scale) || spec.scale == 0) {
    throw std::invalid_argument("scale: expected a number that is not 0, at most a million in size, got " +
                                std::to_string(spec.scale));
  }
}

void check(const ImageView& crop) {
  const auto usable = [](std::int64_t side) { return side >= 1 && side <= kLargestSide; };
  if (usable(crop.height) && usable(crop.width)) return;
  throw std::invalid_argument("expected a crop of 1 to " + std::to_string(kLargestSide) +
                              " pixels a side, got height " + std::to_string(crop.height) + " and width " +
                              std::to_string(crop.width) + "; cut the plate out first");
}

void prepare(const ImageView& crop, Color color, const PrepareSpec& spec, Isa isa, Workspace& workspace,
             float* out, CropSummary* summary) {
  Workspace::Impl& impl = workspace.impl();
  const Kernels& kernels = kernels_for(isa);
  const Rectangle content = place(crop, spec);
  if (content.height != spec.height || content.width != spec.width) {
    std::fill_n(out, static_cast<std::size_t>(spec.height) * spec.width, 0.0F);
  }
  const GrayPlane plane = gray_plane(crop, color, kernels, impl.crop_gray);
  const Axis vertical = impl.vertical.get(plane.height, content.height, spec.kernel);
  const Axis horizontal = impl.horizontal.get(plane.width, content.width, spec.kernel);

  MiddleRows middle;
  middle.height = content.height;
  middle.stride = (std::max(plane.width, 2 * horizontal.pairs) + 64 + 31) / 32 * 32;
  ensure_size(impl.middle, static_cast<std::size_t>(middle.stride) * content.height + 32);
  middle.data = cache_aligned(impl.middle.data());
  kernels.vertical(plane, vertical, middle);

  Target target;
  target.out = out + static_cast<std::ptrdiff_t>(content.top) * spec.width + content.left;
  target.stride = spec.width;
  target.factor = std::ldexp(spec.scale, -(horizontal.bits + 7));
  target.offset = static_cast<float>((128.0 - spec.mean) * spec.scale);
  if (summary != nullptr) {
    ensure_size(impl.resized_gray, static_cast<std::size_t>(content.height) * content.width + 2 * kMargin);
    target.gray = impl.resized_gray.data() + kMargin;
    target.gray_stride = content.width;
  }
  kernels.horizontal(middle, horizontal, target);
  if (summary != nullptr) {
    *summary = summarize(target.gray, content.height, content.width, kernels, impl.column_sums);
  }
  give_back_large(impl.crop_gray);
  give_back_large(impl.middle);
}

}  // namespace lprfast::image
