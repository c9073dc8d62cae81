#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "ctc/ctc.hpp"
#include "ctc/kernels.hpp"

namespace lprfast::ctc {
namespace {

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
  std::vector<float> highest(logits.steps);
  std::vector<float> log_sums(logits.steps);
  kernel.maxima(logits.data, logits.steps, logits.classes, highest.data());
  kernel.sum_exp(logits.data, logits.steps, logits.classes, highest.data(), log_sums.data());
  bool good = true;
  for (float& sum : log_sums) {
    good &= !std::isnan(sum);
    sum = static_cast<float>(std::log(static_cast<double>(sum)));
  }
  // The maximum goes first: added to the small logarithm it would take that one's digits away.
  kernel.subtract(logits.data, logits.steps, logits.classes, highest.data(), log_sums.data(), out);
  return good;
}

void check_scores(ScoresView scores, bool logits, std::size_t crop, Isa isa) {
  const Kernels& kernel = kernels(isa);
  std::vector<float> offsets(scores.steps);
  std::vector<float> sums(scores.steps);
  if (logits) kernel.maxima(scores.data, scores.steps, scores.classes, offsets.data());
  kernel.sum_exp(scores.data, scores.steps, scores.classes, offsets.data(), sums.data());
  for (std::size_t t = 0; t < scores.steps; ++t) {
    const bool good = logits ? !std::isnan(sums[t]) : std::fabs(sums[t] - 1.0F) <= kSumTolerance;
    if (!good) explain(scores.row(t), scores.classes, crop, t, sums[t]);
  }
}

}  // namespace lprfast::ctc
