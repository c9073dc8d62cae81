// What is needed to score a long list of given texts: most are excluded by a bound before they are scored.
#pragma once

#include <algorithm>
#include <vector>

#include "vote/election.hpp"
#include "vote/voter.hpp"

namespace lprfast::vote {

// kUnknownSymbol becomes a class that no crop has, so that every crop is at its floor; so does an empty text.
Labels labels_of(const Watchlist& watchlist, std::size_t index, const Options& options);

// An upper bound of a text's score without the forward recursion. The time steps of CTC are independent, and
// which classes appear in them is negatively associated (Joag-Dev and Proschan, Ann. Statist. 11:286, 1983):
// P(text) is at most the product, over the different symbols in it, of P(the symbol appears in some step).
class ScoreBound {
 public:
  ScoreBound(const std::vector<Voter>& voters, const Options& options);

  // `least(i)`: what voter i says of the text at least, its floor or more.
  template <class Least>
  double of(const Labels& labels, Least least) {
    sum_up(labels);
    double score = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      score += weights_[i] * std::max(static_cast<double>(sums_[i]), least(i));
    }
    return score + kSlack;
  }

 private:
  static constexpr double kSlack = 1e-3;  // over what floats lose

  void sum_up(const Labels& labels);

  std::vector<float> appears_;  // [classes, voters]: log P(the class appears), at most 0
  std::vector<double> weights_;
  std::vector<float> sums_;
};

// The texts of the watchlist but those that surely stay under its `least`, into the result, whose
// probabilities must be set.
void match(const Watchlist& watchlist, Election& election, const std::vector<Voter>& voters,
           std::size_t winner, const Options& options, Result& result);

}  // namespace lprfast::vote
