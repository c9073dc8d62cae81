// A logistic regression: from features to the probability that something is right. Reads and votes are
// calibrated by it; docs/calibration.md defines it.
#pragma once

#include <cstddef>
#include <vector>

namespace lprfast {

struct Logistic {
  std::vector<double> weights;  // one per feature
  double bias = 0;
};

// Throws std::invalid_argument when the weights are not as many as the features, or a number is not within
// 1e6 of 0.
void check_logistic(const Logistic& logistic, std::size_t features);

// ln(p / (1 - p)), p held within 1e-6 of 0 and 1.
double logit(double probability);

// 1 / (1 + exp(-(bias + sum of weight * value))), the sum held within 30 of 0; as many values as weights.
double logistic_probability(const Logistic& logistic, const std::vector<double>& values);

// What the probabilities of the other texts are multiplied by when a text's own moves from `raw`, over 0, to
// `calibrated`. All keep their ratios when it sinks; when it rises, the others share what it leaves: then
// text and others sum to at most 1 as before.
double others_factor(double raw, double calibrated);

}  // namespace lprfast
