#include "vote/scorer.hpp"

#include <algorithm>
#include <cmath>

namespace lprfast::vote {

namespace {

// Probabilities are carried times 1e30, and what falls under 1e-30 becomes 0, so that no subnormal number,
// which processors handle a hundred times slower, ever comes up.
constexpr float kScale = 1e30f;
constexpr float kSmallest = 1e-30f;

float flushed(float scaled) { return scaled < 1.0f ? 0.0f : scaled; }

// One state of so many crops, from its value and that of the state before it at the last step, and where that
// one may be skipped, of the state before both. Compilers make vectors of these loops: the rows are said not
// to overlap, and the count is no constant, which they would unroll into single numbers.
void update(float* __restrict here, const float* __restrict before, const float* __restrict posterior,
            std::size_t lanes) {
  for (std::size_t i = 0; i < lanes; ++i) here[i] = flushed((here[i] + before[i]) * posterior[i]);
}

void update(float* __restrict here, const float* __restrict before, const float* __restrict skipped,
            const float* __restrict posterior, std::size_t lanes) {
  for (std::size_t i = 0; i < lanes; ++i) {
    here[i] = flushed((here[i] + before[i] + skipped[i]) * posterior[i]);
  }
}

float posterior_of(float log_posterior) {
  const float posterior = std::exp(log_posterior);
  return posterior < kSmallest ? 0.0f : posterior;
}

}  // namespace

TrackScorer::TrackScorer(const std::vector<Voter>& voters, const Options& options)
    : classes_(static_cast<std::size_t>(options.classes) + 1), blank_(options.blank), floor_(options.floor) {
  for (const Voter& voter : voters) {
    crops_.push_back(voter.scores);
    steps_ = std::max(steps_, voter.scores.steps);
  }
  columns_.resize((crops_.size() + kLanes - 1) / kLanes * classes_);
}

// Posteriors of one class [steps, kLanes]. A crop with fewer steps ends in certain blanks, which leave the
// probability of every text as it is; a class that a crop's model does not have has probability 0.
const float* TrackScorer::column(std::size_t block, int label) {
  const std::size_t wanted = static_cast<std::size_t>(label);
  std::vector<float>& values = columns_[block * classes_ + wanted];
  if (!values.empty()) return values.data();
  values.assign(steps_ * kLanes, label == blank_ ? 1.0f : 0.0f);
  const std::size_t first = block * kLanes;
  const std::size_t lanes = std::min(kLanes, crops_.size() - first);
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    const ScoresView crop = crops_[first + lane];
    for (std::size_t step = 0; step < crop.steps; ++step) {
      values[step * kLanes + lane] = wanted < crop.classes ? posterior_of(crop.row(step)[wanted]) : 0.0f;
    }
  }
  return values.data();
}

// States 0, 2, 4... are the blanks around the labels, 1, 3, 5... the labels; only states that can be reached
// from the start and still reach the end are updated, from the last down, so that one row of states is
// enough.
void TrackScorer::forward(std::size_t block, const Labels& labels, float* probabilities) {
  const std::size_t crops = std::min(kLanes, crops_.size() - block * kLanes);
  const std::size_t lanes = (crops + 3) / 4 * 4;  // vectors of four have no rest
  const std::size_t states = 2 * labels.size() + 1;
  std::vector<const float*> posteriors(states, column(block, blank_));
  for (std::size_t i = 0; i < labels.size(); ++i) posteriors[2 * i + 1] = column(block, labels[i]);
  alpha_.assign((states + 2) * kLanes, 0.0f);  // two states of zeros stand before the first
  float* const alpha = alpha_.data() + 2 * kLanes;
  std::fill(alpha - kLanes, alpha, kScale);  // the start, left at the first step
  for (std::size_t step = 0; step < steps_; ++step) {
    const std::size_t left = 2 * (steps_ - step);
    const std::size_t first = states > left ? states - left : 0;
    for (std::size_t state = std::min(states, 2 * step + 2); state-- > first;) {
      float* const here = alpha + state * kLanes;
      const float* const before = here - kLanes;
      const float* const skipped = here - 2 * kLanes;
      const float* const posterior = posteriors[state] + step * kLanes;
      const bool may_skip =
          state % 2 == 1 && (step == 0 || (state > 1 && labels[state / 2] != labels[state / 2 - 1]));
      if (may_skip) {
        update(here, before, skipped, posterior, lanes);
      } else {
        update(here, before, posterior, lanes);
      }
    }
    if (step == 0) std::fill(alpha - kLanes, alpha, 0.0f);
  }
  const float* const last = alpha + (states - 1) * kLanes;
  for (std::size_t i = 0; i < kLanes; ++i)
    probabilities[i] = last[i] + (states > 1 ? last[i - kLanes] : 0.0f);
}

void TrackScorer::score(const Labels& labels, double* out, double* probabilities) {
  if (labels.size() > steps_) {  // probability 0; a list may hold texts too long to have memory for
    std::fill(out, out + crops_.size(), floor_);
    if (probabilities) std::fill(probabilities, probabilities + crops_.size(), 0.0);
    return;
  }
  float scaled[kLanes];
  for (std::size_t first = 0; first < crops_.size(); first += kLanes) {
    forward(first / kLanes, labels, scaled);
    const std::size_t lanes = std::min(kLanes, crops_.size() - first);
    for (std::size_t i = 0; i < lanes; ++i) {
      const double probability = static_cast<double>(scaled[i]) / kScale;
      out[first + i] = std::min(0.0, std::max(std::log(probability), floor_));
      if (probabilities) probabilities[first + i] = std::min(1.0, probability);
    }
  }
}

}  // namespace lprfast::vote
