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

bool equal_posteriors(const Ballot& left, const Ballot& right) {
  const ScoresView a = left.log_posteriors, b = right.log_posteriors;
  return a.data && b.data && a.steps == b.steps && a.classes == b.classes &&
         std::equal(a.data, a.data + a.steps * a.classes, b.data);
}

}  // namespace

double weigh(std::vector<Voter>& voters, const Options& options) {
  const std::size_t count = voters.size();
  // `copies`: how many times each picture is there; its copies share one weight. `pairs`: how alike two reads
  // are. Equal posteriors without a signature prove no copy, so both vote, but they add no certainty.
  std::vector<double> copies(count, 1.0);
  std::vector<double> pairs(count * count, 1.0);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const Ballot &left = *voters[i].ballot, &right = *voters[j].ballot;
      const double similarity = picture_similarity(left, right);
      copies[i] += similarity;
      copies[j] += similarity;
      pairs[i * count + j] = similarity < 1 && equal_posteriors(left, right) ? 1 : similarity;
    }
  }
  double total = 0;
  for (std::size_t i = 0; i < count; ++i) total += voters[i].weight = voters[i].raw_weight / copies[i];
  for (Voter& voter : voters) voter.weight /= total;
  // Variance of the weighted mean in units of one read's: the reads are correlated, the more the more alike.
  double variance = 0;
  bool all_alike = true;
  for (std::size_t i = 0; i < count; ++i) {
    variance += voters[i].weight * voters[i].weight;
    for (std::size_t j = 0; j < i; ++j) {
      const double alike = pairs[i * count + j];
      const double correlated = options.correlation + (1 - options.correlation) * alike;
      variance += 2 * voters[i].weight * voters[j].weight * correlated;
      all_alike &= alike == 1;
    }
  }
  return all_alike ? 1.0 : std::max(1.0, 1 / variance);
}

}  // namespace lprfast::vote
