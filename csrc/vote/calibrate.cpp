#include "vote/calibrate.hpp"

#include <algorithm>
#include <stdexcept>

#include "vote/vote.hpp"

namespace lprfast::vote {

namespace {

constexpr double kWidestMargin = 14;  // about the logit of the surest probability that is told apart

}  // namespace

Feature feature_from_name(const std::string& name) {
  if (name == "logit_probability") return Feature::logit_probability;
  if (name == "agreement") return Feature::agreement;
  if (name == "margin") return Feature::margin;
  throw std::invalid_argument("calibration: unknown feature '" + name + "'");
}

double feature_value(Feature feature, const Result& result, const Evidence& evidence) {
  switch (feature) {
    case Feature::logit_probability:
      return logit(result.raw_probability);
    case Feature::agreement:
      return evidence.agreement;
    case Feature::margin:
      break;
  }
  return std::min(evidence.margin, kWidestMargin);
}

void calibrate(const Calibration& calibration, const Evidence& evidence, Result& result) {
  if (calibration.features.empty() || !(result.raw_probability > 0)) return;
  std::vector<double> values;
  for (const Feature feature : calibration.features)
    values.push_back(feature_value(feature, result, evidence));
  result.probability = logistic_probability(calibration.logistic, values);
  const double factor = others_factor(result.raw_probability, result.probability);
  for (Alternative& alternative : result.alternatives) alternative.probability *= factor;
}

}  // namespace lprfast::vote
