// From the vote's probability of a text to the probability that the text is right.
#pragma once

#include <string>
#include <vector>

#include "core/logistic.hpp"

namespace lprfast::vote {

struct Result;

enum class Feature {
  logit_probability,  // of the vote's own probability
  agreement,          // weight of the reads that read exactly the winner, 0-1
  margin,             // ln of the odds of the winner against the next best candidate, 0 to 14
};

// Throws std::invalid_argument for an unknown name.
Feature feature_from_name(const std::string& name);

struct Calibration {
  std::vector<Feature> features;  // none: not calibrated
  Logistic logistic;              // one weight per feature
};

// What is known of a vote besides its result.
struct Evidence {
  double agreement = 0;
  double margin = 0;
};

// docs/voting.md defines it. Uses raw_probability of the result.
double feature_value(Feature feature, const Result& result, const Evidence& evidence);

// Sets `probability`, and scales the alternatives so that all sum to at most 1.
void calibrate(const Calibration& calibration, const Evidence& evidence, Result& result);

}  // namespace lprfast::vote
