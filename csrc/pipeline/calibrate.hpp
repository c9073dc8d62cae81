// From the model's probability of a text to the probability that the text is right: a logistic regression.
#pragma once

#include <string>
#include <vector>

#include "core/logistic.hpp"
#include "pipeline/read.hpp"

namespace lprfast::pipeline {

enum class Feature {
  logit_confidence,     // of the raw confidence
  logit_min_character,  // of the least certain character's posterior
  log_width,            // of the crop as given, pixels
  log_sharpness,        // of CropSummary::sharpness + 10
  log_contrast,         // of CropSummary::contrast + 5
  length,               // characters
};

// Throws std::invalid_argument for an unknown name.
Feature feature_from_name(const std::string& name);

struct Calibration {
  std::vector<Feature> features;  // none: not calibrated
  Logistic logistic;              // one weight per feature
};

// Throws std::invalid_argument when weights and features differ in number, or a number is not
// within 1e6 of 0.
void check(const Calibration& calibration);

// docs/calibration.md defines it. Uses raw_confidence, characters, width and summary.
double feature_value(Feature feature, const Read& read);

// Sets `confidence` of a read with a text, and scales the alternatives so that they sum to at most 1.
void calibrate(const Calibration& calibration, Read& read);

}  // namespace lprfast::pipeline
