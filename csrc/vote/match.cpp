#include "vote/match.hpp"

#include <cmath>

namespace lprfast::vote {

namespace {

constexpr float kNever = -100;  // log P of a class that a crop's model does not have, or as good as that

float log_appearance(ScoresView scores, std::size_t label) {
  if (label >= scores.classes) return kNever;
  double log_absent = 0;  // -infinity where a step is certain
  for (std::size_t step = 0; step < scores.steps; ++step) {
    log_absent += std::log1p(-std::min(1.0, std::exp(static_cast<double>(scores.row(step)[label]))));
  }
  const double appears = -std::expm1(log_absent);
  return appears > 0 ? std::max(kNever, static_cast<float>(std::log(appears))) : kNever;
}

}  // namespace

Labels labels_of(const Watchlist& watchlist, std::size_t index, const Options& options) {
  Labels labels(watchlist.labels + watchlist.offsets[index], watchlist.labels + watchlist.offsets[index + 1]);
  std::replace(labels.begin(), labels.end(), kUnknownSymbol, options.classes);
  if (labels.empty()) labels.push_back(options.classes);  // no text is no plate
  return labels;
}

ScoreBound::ScoreBound(const std::vector<Voter>& voters, const Options& options) : sums_(voters.size()) {
  // One class more than there are: the unknown one.
  for (std::size_t label = 0; label <= static_cast<std::size_t>(options.classes); ++label) {
    for (const Voter& voter : voters) appears_.push_back(log_appearance(voter.scores, label));
  }
  for (const Voter& voter : voters) weights_.push_back(voter.weight);
}

void ScoreBound::sum_up(const Labels& labels) {
  std::fill(sums_.begin(), sums_.end(), 0.0f);
  for (auto label = labels.begin(); label != labels.end(); ++label) {
    if (std::find(labels.begin(), label, *label) != label) continue;
    const float* const row = appears_.data() + static_cast<std::size_t>(*label) * sums_.size();
    for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += row[i];
  }
}

}  // namespace lprfast::vote
