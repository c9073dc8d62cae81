// What the pipeline says of one crop.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/views.hpp"
#include "ctc/ctc.hpp"
#include "image/prepare.hpp"

namespace lprfast::pipeline {

enum class Status { ok, no_plate, unreadable, error };

// A crop to read, or the reason why there is none: a bad crop costs only itself.
struct Crop {
  ImageView view;
  std::string error;   // not empty: `view` is not looked at
  ImageView enlarged;  // by super-resolution, read in place of `view`; without data: none
};

struct Read {
  Status status = Status::error;
  std::string error;
  std::int64_t width = 0;
  std::int64_t height = 0;
  int upscaled = 0;                        // how many times as wide super-resolution made it; 0: not at all
  int lines = 0;                           // read in the crop, 1 or 2; 0 unless ok
  double confidence = 0;                   // that the text is right, 0-1; 0 unless ok
  double raw_confidence = 0;               // P(characters | crop) as the model says; 0 unless ok
  std::vector<ctc::Character> characters;  // empty unless ok
  std::vector<ctc::Hypothesis> alternatives;
  image::CropSummary summary;
  // T is the model's steps, or for a plate read as two halves 2 * steps + 1.
  std::vector<std::uint16_t> log_posteriors;  // float16 [T, classes]; empty when the model was not run
};

}  // namespace lprfast::pipeline
