// Ballots made ready to vote: checked, in an order of their own, duplicates merged, weighed.
#pragma once

#include <vector>

#include "vote/vote.hpp"

namespace lprfast::vote {

// Widths of crops in pixels between which weights grow. Over the one, about the width at which readers take
// their crops, more adds nothing; under the other a crop keeps a small voice, so that no weight is zero.
constexpr int kNarrow = 16;
constexpr int kWide = 128;

struct Voter {
  const Ballot* ballot = nullptr;
  std::vector<std::size_t> indices;  // of the ballots that it stands for, in the caller's order
  ScoresView scores;
  std::vector<float> lattice;  // what `scores` looks at when the ballot had a text only
  std::vector<ctc::Character> characters;
  Labels labels;          // the ballot's text, or that of `characters` when the ballot had none
  double certainty = 0;   // product of the characters' confidences, 0-1
  double raw_weight = 0;  // from the crop's width and the certainty
  double weight = 0;      // share of the vote; the voters' shares sum to 1
};

// The voters, best first. Ballots that do not vote are marked in `contributions` (one per ballot).
std::vector<Voter> prepare(const std::vector<Ballot>& ballots, const Options& options,
                           std::vector<Contribution>& contributions);

// Lets those go that do not stay, and marks their ballots with the reason.
void leave_out(std::vector<Voter>& voters, const std::vector<bool>& stays, Use why,
               std::vector<Contribution>& contributions);

// Pseudo-posteriors [2 L + 1, classes] of a text: blank and character steps in turn.
std::vector<float> text_lattice(const Ballot& ballot, const Options& options);

// Sets the voters' weights and returns the effective number of reads, 1 or more.
double weigh(std::vector<Voter>& voters, const Options& options);

}  // namespace lprfast::vote
