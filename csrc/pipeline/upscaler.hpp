// Crops enlarged by a super-resolution model, batched over worker threads; in input order.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "image/prepare.hpp"
#include "ort/session.hpp"
#include "pipeline/patches.hpp"
#include "pipeline/read.hpp"
#include "pipeline/workers.hpp"

namespace lprfast::pipeline {

struct UpscalerSpec {
  int scale = 4;                           // 2, 4 or 8
  int channels = 1;                        // of the model: 1 gray, 3 red, green, blue
  image::Color color = image::Color::bgr;  // of crops in colour, and of what is answered in colour
  int threads = 1;
  int batch = 16;     // crops in one run of the model, at most
  PatchSpec patches;  // of pictures of more than two patches' pixels
};

// One crop enlarged, or the reason why it is not.
struct Upscaled {
  std::string error;
  std::vector<std::uint8_t> pixels;  // [height, width, channels]; empty when there is an error
  std::int64_t height = 0;
  std::int64_t width = 0;
  int channels = 1;  // of the model

  ImageView view() const;  // into `pixels`
};

// upscale() may be called from many threads at once, and in a child forked while no thread was in it.
class Upscaler {
 public:
  // Throws std::invalid_argument (spec) or ModelError (the model does not take or answer what the spec says).
  Upscaler(std::shared_ptr<const ort::Session> session, const UpscalerSpec& spec);

  // One answer per crop: null ones are left out and answer an empty Upscaled without an error. Throws
  // OrtError when the model cannot be run; never for what is in a crop. Crops whose size the model answers in
  // another shape than its scale says have an error. What comes of a crop does not depend on the others.
  std::vector<Upscaled> upscale(const std::vector<const Crop*>& crops) const;

  const UpscalerSpec& spec() const { return spec_; }
  const std::shared_ptr<const Workers>& workers() const { return workers_; }

 private:
  struct Job;

  std::vector<Job> plan(const std::vector<const Crop*>& crops, std::vector<Upscaled>& answers) const;
  void run_model(Scratch& scratch, std::int64_t count, std::int64_t height, std::int64_t width) const;
  void fill(const ImageView& crop, std::int64_t height, std::int64_t width, Scratch& scratch,
            float* planes) const;
  void run_batch(const Job& job, const std::vector<const Crop*>& crops, Scratch& scratch,
                 std::vector<Upscaled>& answers) const;
  void run_large(const Job& job, const ImageView& crop, Scratch& scratch, Upscaled& answer) const;

  std::shared_ptr<const ort::Session> session_;
  UpscalerSpec spec_;
  std::shared_ptr<const Workers> workers_;
};

}  // namespace lprfast::pipeline
