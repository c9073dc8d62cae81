// What each voter weighs, and how many independent reads they are worth together.
#include <algorithm>
#include <cmath>

#include "vote/copies.hpp"
#include "vote/voter.hpp"

namespace lprfast::vote {

namespace {

// 1 / variance of the weighted mean, in units of one read's: reads are correlated, the more the more alike.
double effective_reads(const std::vector<Voter>& voters, const std::vector<double>& alike,
                       double correlation) {
  double variance = 0;
  bool one_picture = true;
  for (std::size_t i = 0; i < voters.size(); ++i) {
    variance += voters[i].weight * voters[i].weight;
    for (std::size_t j = 0; j < i; ++j) {
      const double pair = alike[i * voters.size() + j];
      variance += 2 * voters[i].weight * voters[j].weight * (correlation + (1 - correlation) * pair);
      one_picture &= pair == 1;
    }
  }
  return one_picture ? 1.0 : std::max(1.0, 1 / variance);
}

}  // namespace

double weigh(std::vector<Voter>& voters, const Options& options) {
  const std::size_t count = voters.size();
  // `copies`: how many times each picture is there; its copies share one weight. `alike`: how much of two
  // reads is one. A bare text that may be a copy keeps its weight but adds no certainty.
  std::vector<double> copies(count, 1.0);
  std::vector<double> alike(count * count, 1.0);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const Ballot &left = *voters[i].ballot, &right = *voters[j].ballot;
      const double similarity = picture_similarity(left, right);
      copies[i] += similarity;
      copies[j] += similarity;
      alike[i * count + j] = maybe_copies(left, right) ? 1.0 : similarity;
    }
  }
  double total = 0;
  for (std::size_t i = 0; i < count; ++i) total += voters[i].weight = voters[i].raw_weight / copies[i];
  for (Voter& voter : voters) voter.weight /= total;
  return effective_reads(voters, alike, options.correlation);
}

}  // namespace lprfast::vote
