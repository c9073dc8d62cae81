#include "vote/match.hpp"

#include <cmath>
#include <map>

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

// The candidates by their text, and what turns a score into a probability beside the winner's.
struct Standing {
  std::map<Labels, std::size_t> proposed;
  double best = 0;  // the winner's score
  double even = 0;  // probability of a text with the same score
  double left = 0;  // of all texts that nobody proposed
};

Standing standing_of(const Election& election, std::size_t winner, const Result& result) {
  Standing standing;
  standing.best = election.scored(winner).score;
  standing.even = result.probability;
  const auto odds = [&](std::size_t i) {
    return std::exp(result.effective_reads * (election.scored(i).score - standing.best));
  };
  for (std::size_t i = 0; i < election.texts().size(); ++i) {
    standing.proposed.emplace(election.texts()[i], i);
  }
  // The alternatives' probabilities may have been scaled since they followed from the odds.
  if (!result.alternatives.empty()) {
    const double first = odds(standing.proposed[result.alternatives.front().labels]);
    if (first > 0) standing.even = result.alternatives.front().probability / first;
  }
  standing.left = 1 - result.probability;
  for (std::size_t i = 0; i < election.texts().size(); ++i) {
    if (i != winner) standing.left -= standing.even * odds(i);
  }
  standing.left = std::max(0.0, standing.left);
  return standing;
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

void match(const Watchlist& watchlist, Election& election, const std::vector<Voter>& voters,
           std::size_t winner, const Options& options, Result& result) {
  Standing standing = standing_of(election, winner, result);
  ScoreBound bound(voters, options);
  const auto log_ratio = [&](double score) { return result.effective_reads * (score - standing.best); };
  for (std::size_t index = 0; index < watchlist.size; ++index) {
    const Labels labels = labels_of(watchlist, index, options);
    const auto found = standing.proposed.find(labels);
    if (found != standing.proposed.end()) {
      const double ratio = log_ratio(election.scored(found->second).score);
      const double other = std::min(standing.even * std::exp(ratio), 1 - result.probability);
      result.matches.push_back({index, found->second == winner ? result.probability : other, ratio});
      continue;
    }
    const double most = bound.of(labels, [&](std::size_t i) { return election.least(i, labels); }) +
                        election.prior_share(labels);
    if (standing.even * std::exp(log_ratio(most)) < watchlist.least) continue;
    const Scored scored = election.evaluate(labels);
    const double ratio = log_ratio(scored.score);
    // No crop need have thought of the text: then it has no more than they give it on average.
    const double other = std::min({standing.even * std::exp(ratio), standing.left, scored.mean_probability});
    result.matches.push_back({index, other, ratio});
  }
}

}  // namespace lprfast::vote
