#include "pipeline/calibrate.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace lprfast::pipeline {
namespace {

constexpr double kSharpnessFloor = 10;  // gray levels squared: below it a crop is flat, however flat
constexpr double kContrastFloor = 5;    // gray levels
constexpr double kNarrowest = 16, kWidest = 400;  // pixels; beyond them a plate is as hard as at them

double min_character(const Read& read) {
  float least = 1;
  for (const ctc::Character& character : read.characters) least = std::min(least, character.confidence);
  return static_cast<double>(least);
}

bool spells(const ctc::Hypothesis& hypothesis, const std::vector<ctc::Character>& characters) {
  return std::equal(hypothesis.labels.begin(), hypothesis.labels.end(), characters.begin(), characters.end(),
                    [](int label, const ctc::Character& character) { return label == character.label; });
}

// The text's own entry becomes its confidence.
void scale_alternatives(Read& read) {
  const double factor = others_factor(read.raw_confidence, read.confidence);
  for (ctc::Hypothesis& other : read.alternatives) {
    if (spells(other, read.characters)) {
      other.log_prob = std::log(read.confidence);
    } else {
      other.log_prob += std::log(factor);
    }
  }
  std::stable_sort(
      read.alternatives.begin(), read.alternatives.end(),
      [](const ctc::Hypothesis& a, const ctc::Hypothesis& b) { return a.log_prob > b.log_prob; });
}

}  // namespace

Feature feature_from_name(const std::string& name) {
  if (name == "logit_confidence") return Feature::logit_confidence;
  if (name == "logit_min_character") return Feature::logit_min_character;
  if (name == "log_width") return Feature::log_width;
  if (name == "log_sharpness") return Feature::log_sharpness;
  if (name == "log_contrast") return Feature::log_contrast;
  if (name == "length") return Feature::length;
  throw std::invalid_argument("calibration: unknown feature '" + name + "'");
}

void check(const Calibration& calibration) {
  check_logistic(calibration.logistic, calibration.features.size());
}

double feature_value(Feature feature, const Read& read) {
  switch (feature) {
    case Feature::logit_confidence:
      return logit(read.raw_confidence);
    case Feature::logit_min_character:
      return logit(min_character(read));
    case Feature::log_width:
      return std::log(std::min(std::max(static_cast<double>(read.width), kNarrowest), kWidest));
    case Feature::log_sharpness:
      return std::log(static_cast<double>(read.summary.sharpness) + kSharpnessFloor);
    case Feature::log_contrast:
      return std::log(static_cast<double>(read.summary.contrast) + kContrastFloor);
    case Feature::length:
      break;
  }
  return static_cast<double>(read.characters.size());
}

void calibrate(const Calibration& calibration, Read& read) {
  if (calibration.features.empty() || read.status != Status::ok || !(read.raw_confidence > 0)) return;
  std::vector<double> values;
  for (const Feature feature : calibration.features) values.push_back(feature_value(feature, read));
  read.confidence = logistic_probability(calibration.logistic, values);
  scale_alternatives(read);
}

}  // namespace lprfast::pipeline
