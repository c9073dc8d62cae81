#include "vote/slots.hpp"

#include <algorithm>
#include <cmath>

#include "vote/align.hpp"

namespace lprfast::vote {

namespace {

const float* peak_row(const Voter& voter, std::size_t character) {
  return voter.scores.row(static_cast<std::size_t>(voter.characters[character].step));
}

float log_posterior(const Voter& voter, std::size_t character, int label) {
  if (static_cast<std::size_t>(label) >= voter.scores.classes) return -INFINITY;
  return peak_row(voter, character)[label];
}

// For each character of the voter, which label of the text it is, or kUnmatched.
std::vector<std::size_t> match(const Labels& labels, const Voter& voter) {
  const std::size_t columns = voter.characters.size();
  std::vector<double> costs;
  for (const int label : labels) {
    for (std::size_t column = 0; column < columns; ++column) {
      costs.push_back(match_cost(std::min(1.0f, std::exp(log_posterior(voter, column, label)))));
    }
  }
  return align(costs, std::vector<double>(labels.size(), kGapCost), columns);
}

// How much a voter's evidence counts over all characters: what it says against the text is held to `floor` in
// sum, the same bound that its whole-text score has, so that a crop of something else cannot veto character
// by character.
double bounded(const Labels& labels, const Voter& voter, const std::vector<std::size_t>& label_of,
               double floor) {
  double against = 0;
  for (std::size_t i = 0; i < label_of.size(); ++i) {
    if (label_of[i] == kUnmatched) continue;
    const double best = std::log(voter.characters[i].confidence);
    const double given = log_posterior(voter, i, labels[label_of[i]]);
    against += std::max(0.0, best - std::max(given, floor));
  }
  return against > -floor ? -floor / against : 1.0;
}

Character decide_slot(int label, const std::vector<double>& evidence, double effective_reads, int blank) {
  const double best = *std::max_element(evidence.begin(), evidence.end());
  double total = 0;
  int runner_up = blank;
  for (int other = 0; other < static_cast<int>(evidence.size()); ++other) {
    const std::size_t at = static_cast<std::size_t>(other);
    if (other == blank) continue;
    total += std::exp(effective_reads * (evidence[at] - best));
    if (other == label) continue;
    if (runner_up == blank || evidence[at] > evidence[static_cast<std::size_t>(runner_up)]) runner_up = other;
  }
  const auto posterior = [&](int of) {
    return static_cast<float>(std::exp(effective_reads * (evidence[static_cast<std::size_t>(of)] - best)) /
                              total);
  };
  return {label, posterior(label), runner_up, runner_up == blank ? 0.0f : posterior(runner_up)};
}

}  // namespace

std::vector<Character> pool_characters(const Labels& labels, const std::vector<Voter>& voters,
                                       double effective_reads, const Options& options) {
  const std::size_t classes = static_cast<std::size_t>(options.classes);
  // Weighted mean log posteriors. The blank takes no part: how many characters there are is for the
  // candidates.
  std::vector<std::vector<double>> evidence(labels.size(), std::vector<double>(classes, 0.0));
  for (std::vector<double>& slot : evidence) slot[static_cast<std::size_t>(options.blank)] = -INFINITY;
  for (const Voter& voter : voters) {
    const std::vector<std::size_t> label_of = match(labels, voter);
    const double weight = voter.weight * bounded(labels, voter, label_of, options.floor);
    for (std::size_t i = 0; i < label_of.size(); ++i) {
      if (label_of[i] == kUnmatched) continue;
      const float* const row = peak_row(voter, i);
      for (std::size_t label = 0; label < classes; ++label) {
        const double value = label < voter.scores.classes ? row[label] : -INFINITY;
        evidence[label_of[i]][label] += weight * std::max(value, options.floor);
      }
    }
  }
  std::vector<Character> characters;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    characters.push_back(decide_slot(labels[i], evidence[i], effective_reads, options.blank));
  }
  return characters;
}

}  // namespace lprfast::vote
