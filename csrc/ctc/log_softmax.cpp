#include <cmath>
#include <stdexcept>
#include <string>

#include "ctc/ctc.hpp"
#include "ctc/kernels.hpp"

namespace lprfast::ctc {
namespace {

constexpr float kSumTolerance = 1e-3F;

std::string place(std::size_t crop, std::size_t step, std::size_t index) {
  return "scores[" + std::to_string(crop) + ", " + std::to_string(step) + ", " + std::to_string(index) + "]";
}

// Called for a row that is known to be wrong: finds out what to tell.
[[noreturn]] void explain(const float* row, std::size_t classes, std::size_t crop, std::size_t step,
                          float sum) {
  for (std::size_t k = 0; k < classes; ++k) {
    if (!std::isnan(row[k]) && row[k] != INFINITY) continue;
    throw std::invalid_argument(place(crop, step, k) + ": expected a finite number or -inf, got " +
                                (std::isnan(row[k]) ? "nan" : "inf"));
  }
  const std::string where = "scores[" + std::to_string(crop) + ", " + std::to_string(step) + "]: expected ";
  for (std::size_t k = 0; k < classes; ++k) {
    if (row[k] == -INFINITY) continue;
    throw std::invalid_argument(where + "log-posteriors whose exp sums to 1, got a sum of " +
                                std::to_string(sum) + "; pass logits=True when these are logits");
  }
  throw std::invalid_argument(where + "at least one class that is possible, got -inf for all of them");
}

}  // namespace

bool log_softmax(ScoresView logits, float* out, Isa isa) {
  const Kernels& kernel = kernels(isa);
  bool good = true;
  for (std::size_t t = 0; t < logits.steps; ++t, out += logits.classes) {
    const float* row = logits.row(t);
    const float high = kernel.maximum(row, logits.classes);
    const float sum = kernel.sum_exp(row, logits.classes, high);
    good &= !std::isnan(sum);
    // The maximum goes first: added to the small logarithm it would take that one's digits away.
    const float log_sum = static_cast<float>(std::log(static_cast<double>(sum)));
    for (std::size_t k = 0; k < logits.classes; ++k) out[k] = (row[k] - high) - log_sum;
  }
  return good;
}

void check_scores(ScoresView scores, bool logits, std::size_t crop, Isa isa) {
  const Kernels& kernel = kernels(isa);
  for (std::size_t t = 0; t < scores.steps; ++t) {
    const float* row = scores.row(t);
    const float offset = logits ? kernel.maximum(row, scores.classes) : 0.0F;
    const float sum = kernel.sum_exp(row, scores.classes, offset);
    const bool good = logits ? !std::isnan(sum) : std::fabs(sum - 1.0F) <= kSumTolerance;
    if (!good) explain(row, scores.classes, crop, t, sum);
  }
}

}  // namespace lprfast::ctc
