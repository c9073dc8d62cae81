#include "vote/voter.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "vote/copies.hpp"

namespace lprfast::vote {

namespace {

constexpr float kRounding =
    0.01f;  // how far over 0 a rounded log-posterior may be; logits are mostly further

bool usable(ScoresView scores) {
  int bad = 0;  // no bool: compilers make vectors of this
  const std::size_t count = scores.steps * scores.classes;
  for (std::size_t i = 0; i < count; ++i) bad |= !(scores.data[i] <= kRounding);  // true for NaN
  return bad == 0;
}

// -1, 0 or 1. A null range comes before any other.
template <class T>
int compare(const T* left, const T* right, std::size_t count) {
  if (!left || !right) return (left != nullptr) - (right != nullptr);
  const auto differ = std::mismatch(left, left + count, right);
  if (differ.first == left + count) return 0;
  return *differ.first < *differ.second ? -1 : 1;
}

template <class T>
int compare(const std::vector<T>& left, const std::vector<T>& right) {
  return left < right ? -1 : right < left ? 1 : 0;
}

// What the crop was and what was read in it: two ballots that agree in this are one read given twice.
int compare_reads(const Ballot& left, const Ballot& right) {
  if (const int order = compare(left.signature, right.signature, kSignatureSize)) return order;
  if (const int order = compare(left.labels, right.labels)) return order;
  const ScoresView a = left.log_posteriors, b = right.log_posteriors;
  if (a.steps != b.steps) return a.steps < b.steps ? -1 : 1;
  if (a.classes != b.classes) return a.classes < b.classes ? -1 : 1;
  return compare(a.data, b.data, a.steps * a.classes);
}

// An order by content alone, so that the caller's order cannot change the last bit of a sum.
bool before(const Ballot& left, const Ballot& right) {
  if (const int order = compare_reads(left, right)) return order < 0;
  if (left.width != right.width) return left.width > right.width;
  if (left.confidence != right.confidence) return left.confidence > right.confidence;
  if (const int order = compare(left.confidences, right.confidences)) return order < 0;
  if (const int order = compare(left.runners_up, right.runners_up)) return order < 0;
  if (const int order = compare(left.runner_up_confidences, right.runner_up_confidences)) return order < 0;
  return left.proposals < right.proposals;
}

Voter make_voter(const Ballot& ballot, std::size_t index, const Options& options) {
  Voter voter;
  voter.ballot = &ballot;
  voter.indices = {index};
  voter.scores = ballot.log_posteriors;
  if (!ballot.log_posteriors.data) {
    voter.lattice = text_lattice(ballot, options);
    voter.scores = {voter.lattice.data(), 2 * ballot.labels.size() + 1,
                    static_cast<std::size_t>(options.classes)};
  }
  ctc::greedy(voter.scores, options.blank, voter.characters);
  voter.certainty = voter.characters.empty() ? 0 : 1;  // nothing seen is nothing sure
  for (const ctc::Character& character : voter.characters)
    voter.certainty *= std::min(1.0f, character.confidence);
  voter.labels = ballot.labels;
  if (voter.labels.empty()) {
    for (const ctc::Character& character : voter.characters) voter.labels.push_back(character.label);
  }
  return voter;
}

// Width is how much there was to read.
double width_weight(int width) { return std::min(std::max(width, kNarrow), kWide) / double{kWide}; }

// What an unsure read says of one text against another is noisier than its posteriors tell. The root is weak:
// a read that is confident and wrong must not outweigh three that are half sure and right.
// What another reader calls certain compares with nothing here: its reads all weigh the same.
double certainty_weight(const Voter& voter, double floor) {
  if (!voter.ballot->log_posteriors.data) return 0.5;
  return std::sqrt(std::sqrt(std::max(voter.certainty, std::exp(floor))));
}

// A crop of unknown width weighs as the middle one of the known.
void set_raw_weights(std::vector<Voter>& voters, const Options& options) {
  std::vector<int> known;
  for (const Voter& voter : voters) {
    if (voter.ballot->width > 0) known.push_back(voter.ballot->width);
  }
  std::sort(known.begin(), known.end());
  const int middle = known.empty() ? kWide : known[known.size() / 2];
  for (Voter& voter : voters) {
    voter.raw_weight = width_weight(voter.ballot->width > 0 ? voter.ballot->width : middle) *
                       certainty_weight(voter, options.floor);
  }
}

bool same_read(const Ballot& left, const Ballot& right) {
  return left.log_posteriors.data && compare_reads(left, right) == 0;
}

// Checked before they are sorted: no order holds among NaNs.
std::vector<std::size_t> usable_in_order(const std::vector<Ballot>& ballots,
                                         std::vector<Contribution>& contributions) {
  std::vector<std::size_t> order;
  for (std::size_t index = 0; index < ballots.size(); ++index) {
    const bool has_posteriors = ballots[index].log_posteriors.data != nullptr;
    if (has_posteriors && !usable(ballots[index].log_posteriors)) {
      contributions[index].use = Use::invalid;
    } else if (!has_posteriors && ballots[index].labels.empty()) {
      contributions[index].use = Use::empty;
    } else {
      order.push_back(index);
    }
  }
  std::sort(order.begin(), order.end(),
            [&](std::size_t left, std::size_t right) { return before(ballots[left], ballots[right]); });
  return order;
}

// A crop in which nothing was seen has no say where another shows something.
void leave_out_blank(std::vector<Voter>& voters, std::vector<Contribution>& contributions) {
  std::vector<bool> stays;
  for (const Voter& voter : voters) stays.push_back(!voter.characters.empty());
  if (std::find(stays.begin(), stays.end(), true) != stays.end())
    leave_out(voters, stays, Use::empty, contributions);
}

}  // namespace

void leave_out(std::vector<Voter>& voters, const std::vector<bool>& stays, Use why,
               std::vector<Contribution>& contributions) {
  std::vector<Voter> kept;
  for (std::size_t i = 0; i < voters.size(); ++i) {
    if (stays[i]) {
      kept.push_back(std::move(voters[i]));
      continue;
    }
    for (const std::size_t index : voters[i].indices) contributions[index].use = why;
  }
  voters = std::move(kept);
}

std::vector<Voter> prepare(const std::vector<Ballot>& ballots, const Options& options,
                           std::vector<Contribution>& contributions) {
  contributions.assign(ballots.size(), {});
  std::vector<Voter> voters;
  for (const std::size_t index : usable_in_order(ballots, contributions)) {
    if (!voters.empty() && same_read(*voters.back().ballot, ballots[index])) {
      voters.back().indices.push_back(index);
      contributions[index].use = Use::duplicate;
    } else {
      voters.push_back(make_voter(ballots[index], index, options));
    }
  }
  leave_out_blank(voters, contributions);
  set_raw_weights(voters, options);
  std::stable_sort(voters.begin(), voters.end(), [](const Voter& left, const Voter& right) {
    return left.raw_weight * left.certainty > right.raw_weight * right.certainty;
  });
  keep_different(voters, options.max_voters, contributions);
  return voters;
}

}  // namespace lprfast::vote
