// What the rules have in common, and those that vote place by place. Private to rules.cpp and slot_rules.cpp.
#pragma once

#include <vector>

#include "vote/voter.hpp"

namespace lprfast::vote {

// One read's vote. A list of them is in an order of content, the best read first, never in the caller's.
struct Vote {
  const Voter* voter = nullptr;
  std::size_t index = 0;  // of the ballot, in the caller's order
  double confidence = 0;  // of the voter's text, 0-1
  std::vector<Character> characters;
  double weight = 0;  // share of the vote, 0-1
};

// Sorts other texts by their probability, equal ones as the charset does, and keeps the best. They are scaled
// down where they would sum to more than the winner's probability leaves.
void set_alternatives(std::vector<Alternative> others, const Options& options, Result& result);

// Verbatim: the strings side by side, no alignment, as long as the shortest; in each place the most frequent
// symbol, of equal ones that of the earliest read in the caller's order.
void decide_mvcp(std::vector<Vote> votes, const Options& options, Result& result);

// Aligned one after the other into a network of slots with null arcs; each slot votes by count and
// confidence.
void decide_rover(std::vector<Vote> votes, const Options& options, Result& result);

}  // namespace lprfast::vote
