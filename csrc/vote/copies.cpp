#include "vote/copies.hpp"

#include <algorithm>
#include <cmath>

namespace lprfast::vote {

namespace {

bool equal_posteriors(ScoresView left, ScoresView right) {
  return left.data && right.data && left.steps == right.steps && left.classes == right.classes &&
         std::equal(left.data, left.data + left.steps * left.classes, right.data);
}

// One after the other the voter that is worth most, less what of its picture is among those chosen: so
// similar ones wear one another out, and exact copies come when nothing else is left.
std::vector<bool> chosen_of(const std::vector<Voter>& voters, std::size_t most) {
  std::vector<bool> chosen(voters.size(), false);
  std::vector<double> worth;
  for (const Voter& voter : voters) worth.push_back(voter.raw_weight * voter.certainty);
  for (std::size_t count = 0; count < std::min(most, voters.size()); ++count) {
    std::size_t best = voters.size();
    for (std::size_t i = 0; i < voters.size(); ++i) {
      if (!chosen[i] && (best == voters.size() || worth[i] > worth[best])) best = i;
    }
    chosen[best] = true;
    for (std::size_t i = 0; i < voters.size(); ++i) {
      if (!chosen[i] && worth[i] > 0) {
        worth[i] *= 1 - picture_similarity(*voters[best].ballot, *voters[i].ballot);
      }
    }
  }
  return chosen;
}

}  // namespace

double picture_similarity(const Ballot& left, const Ballot& right) {
  if (!left.signature || !right.signature)
    return equal_posteriors(left.log_posteriors, right.log_posteriors) ? 1 : 0;
  int squares = 0;
  for (std::size_t i = 0; i < kSignatureSize; ++i) {
    const int difference = int{left.signature[i]} - int{right.signature[i]};
    squares += difference * difference;
  }
  const double distance = std::sqrt(squares / static_cast<double>(kSignatureSize));
  return std::min(1.0, std::max(0.0, (kDifferent - distance) / (kDifferent - kSame)));
}

bool maybe_copies(const Ballot& left, const Ballot& right) {
  if (left.signature && right.signature) return false;
  return !left.log_posteriors.data && !right.log_posteriors.data && left.labels == right.labels &&
         left.confidence == right.confidence && left.confidences == right.confidences;
}

void keep_different(std::vector<Voter>& voters, std::size_t most, std::vector<Contribution>& contributions) {
  if (voters.size() <= most) return;
  leave_out(voters, chosen_of(voters, most), Use::surplus, contributions);
}

}  // namespace lprfast::vote
