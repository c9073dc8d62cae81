// Reads made elsewhere have no posteriors: their character confidences stand in for them.
#include <algorithm>
#include <cmath>

#include "vote/voter.hpp"

namespace lprfast::vote {

namespace {

constexpr float kBlankStep = 0.98f;    // a step between two characters: the rest allows a missed one
constexpr float kUnknown = 0.9f;       // a character without a confidence
constexpr float kLowest = 0.2f;        // under this another symbol than the one read would lead its own step
constexpr float kHighest = 0.999f;     // other readers' 1.0 is no certainty
constexpr float kBlankShare = 0.1f;    // of what a character's confidence leaves: that there was none
constexpr int kSmallestAlphabet = 36;  // texts of few different symbols do not make the rest likelier

void fill(float* row, int classes, int blank, float at_blank, float per_symbol) {
  std::fill(row, row + classes, std::log(per_symbol));
  row[blank] = std::log(at_blank);
}

}  // namespace

std::vector<float> text_lattice(const Ballot& ballot, const Options& options) {
  const std::size_t count = ballot.labels.size();
  const std::size_t classes = static_cast<std::size_t>(options.classes);
  const float symbols = static_cast<float>(std::max(options.classes - 1, kSmallestAlphabet));
  std::vector<float> lattice((2 * count + 1) * classes);
  for (std::size_t step = 0; step < 2 * count + 1; step += 2) {
    fill(&lattice[step * classes], options.classes, options.blank, kBlankStep, (1 - kBlankStep) / symbols);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const float given = i < ballot.confidences.size() ? ballot.confidences[i] : kUnknown;
    const float confidence = std::min(std::max(kLowest, given), kHighest);
    const bool has_runner = i < ballot.runners_up.size() && ballot.runners_up[i] != ballot.labels[i];
    const float given_runner = has_runner ? std::max(0.0f, ballot.runner_up_confidences[i]) : 0.0f;
    const float runner = std::min({given_runner, confidence, 0.9f * (1 - confidence)});
    const float rest = 1 - confidence - runner;
    float* row = &lattice[(2 * i + 1) * classes];
    fill(row, options.classes, options.blank, kBlankShare * rest, (1 - kBlankShare) * rest / symbols);
    if (runner > 0) row[ballot.runners_up[i]] = std::log(runner);
    row[ballot.labels[i]] = std::log(confidence);
  }
  return lattice;
}

}  // namespace lprfast::vote
