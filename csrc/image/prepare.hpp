// One crop to the reader's input: colour to gray, resize, normalise, and the quality figures that the vote
// needs. The arithmetic is written down in docs/numerics.md.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "core/cpu.hpp"
#include "core/views.hpp"

namespace lprfast::image {

enum class Color { bgr, rgb };  // order of the first three channels; a fourth is ignored; one channel is gray
enum class Fit { stretch, letterbox };  // letterbox keeps the aspect, centres, and pads with 0 (gray = mean)
enum class Kernel { bilinear, bicubic };  // both antialiased when shrinking; bicubic has a = -0.5

// Each throws std::invalid_argument for a name that is not one of the enum's own.
Color color_from_name(const std::string& name);
Fit fit_from_name(const std::string& name);
Kernel kernel_from_name(const std::string& name);

// What the reader's input looks like; every field comes from the model file.
struct PrepareSpec {
  int height = 32;
  int width = 128;
  Fit fit = Fit::stretch;
  Kernel kernel = Kernel::bicubic;
  float mean = 127.5F;         // in gray levels, 0-255
  float scale = 1.0F / 64.0F;  // output = (gray - mean) * scale
};

// Measured on the gray crop at reading size (the resized pixels, before normalisation, without padding).
struct CropSummary {
  float sharpness = 0;  // variance of the 4-neighbour Laplacian, gray levels squared; 0 under 3 x 3 pixels
  float contrast = 0;   // standard deviation of the gray levels
  float clipped = 0;    // share of pixels at 0 or 255, in the resized crop, 0-1
  std::array<std::uint8_t, 64> signature{};  // 4 x 16 block means, row by row: tells near-duplicates apart
};

// Scratch memory and resize coefficients, kept from one crop to the next. One per thread.
class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Throws std::invalid_argument when the spec cannot be used (a side under 1 or over 4096; scale 0; mean or
// scale not finite or beyond a million).
void check(const PrepareSpec& spec);

// Throws std::invalid_argument when a side of the crop is under 1 or over 16384 pixels.
void check(const ImageView& crop);

// Writes height * width floats. Every isa gives the same bits. `summary` may be null. Crop and spec were
// checked.
void prepare(const ImageView& crop, Color color, const PrepareSpec& spec, Isa isa, Workspace& workspace,
             float* out, CropSummary* summary);

}  // namespace lprfast::image
