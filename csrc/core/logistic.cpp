#include "core/logistic.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace lprfast {

namespace {

constexpr double kLeastProbability = 1e-6;  // float32 posteriors say nothing finer
constexpr double kLargestLogit = 30;
constexpr double kLargestWeight = 1e6;  // as in the model contract: every sum stays finite

}  // namespace

void check_logistic(const Logistic& logistic, std::size_t features) {
  if (logistic.weights.size() != features) {
    throw std::invalid_argument("calibration: expected " + std::to_string(features) +
                                " weights, one per feature, got " + std::to_string(logistic.weights.size()));
  }
  const auto usable = [](double value) { return std::abs(value) <= kLargestWeight; };  // false for NaN
  if (!usable(logistic.bias) || !std::all_of(logistic.weights.begin(), logistic.weights.end(), usable)) {
    throw std::invalid_argument("calibration: expected weights and a bias from -1e6 to 1e6");
  }
}

double logit(double probability) {
  const double p = std::min(std::max(probability, kLeastProbability), 1 - kLeastProbability);
  return std::log(p / (1 - p));
}

double logistic_probability(const Logistic& logistic, const std::vector<double>& values) {
  double sum = logistic.bias;
  for (std::size_t i = 0; i < logistic.weights.size(); ++i) sum += logistic.weights[i] * values[i];
  return 1 / (1 + std::exp(-std::min(std::max(sum, -kLargestLogit), kLargestLogit)));
}

double others_factor(double raw, double calibrated) {
  const double same_ratio = calibrated / raw;
  return raw < 1 ? std::min(same_ratio, (1 - calibrated) / (1 - raw)) : same_ratio;
}

}  // namespace lprfast
