// What each voter weighs, and how many independent reads they are worth together.
#include <algorithm>
#include <cmath>

#include "vote/voter.hpp"

namespace lprfast::vote {

namespace {

// Root mean square difference of two signatures in gray levels. A crop that is only recompressed or gets new
// sensor noise stays within about one; two looks at a plate that moved differ by more than three.
constexpr double kSame = 1.0;
constexpr double kDifferent = 3.0;

double picture_similarity(const Ballot& left, const Ballot& right) {
  if (!left.signature || !right.signature) return 0;
  int squares = 0;
  for (std::size_t i = 0; i < kSignatureSize; ++i) {
    const int difference = int{left.signature[i]} - int{right.signature[i]};
    squares += difference * difference;
  }
  const double distance = std::sqrt(squares / static_cast<double>(kSignatureSize));
  return std::min(1.0, std::max(0.0, (kDifferent - distance) / (kDifferent - kSame)));
}

// Without a signature on both sides nothing proves a copy, but equal posteriors make it likely.
bool maybe_copies(const Ballot& left, const Ballot& right) {
  if (left.signature && right.signature) return false;
  const ScoresView a = left.log_posteriors, b = right.log_posteriors;
  return a.data && b.data && a.steps == b.steps && a.classes == b.classes &&
         std::equal(a.data, a.data + a.steps * a.classes, b.data);
}

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
  // reads is one. What may be a copy keeps its weight but adds no certainty.
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
