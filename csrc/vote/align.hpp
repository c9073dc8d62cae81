// Alignment of two sequences by dynamic programming, and the confusion network that reads are aligned into.
#pragma once

#include <cstddef>
#include <vector>

#include "vote/voter.hpp"

namespace lprfast::vote {

// A symbol and its posterior at a character's peak; the blank stands for "no character here".
struct Share {
  int label = 0;
  double posterior = 0;
};

// A voter's characters, each as the symbols that its peak leaves possible.
std::vector<std::vector<Share>> character_shares(const Voter& voter);

constexpr double kGapCost = 2.5;
// Of two characters that agree with this probability. The worst match costs less than two gaps, so that a
// misread character stays one substitution.
double match_cost(double agreement);

constexpr std::size_t kUnmatched = static_cast<std::size_t>(-1);
// The cheapest monotonic matching: for each column its row, or kUnmatched. `match` is [rows, columns]; a row
// without a column costs skip[row], a column without a row `gap`. Of equal costs a match is taken before a
// skipped row, and that before a skipped column, from the last ones on.
std::vector<std::size_t> align(const std::vector<double>& match, const std::vector<double>& skip,
                               std::size_t columns, double gap = kGapCost);

// Slots in reading order; each holds how much of the vote every symbol, or no character, has there.
class Network {
 public:
  Network(int classes, int blank) : classes_(static_cast<std::size_t>(classes)), blank_(blank) {}
  void add(const Voter& voter);
  // The most probable texts, best first, slots taken as independent.
  std::vector<Labels> best(std::size_t count) const;

 private:
  using Slot = std::vector<double>;  // [classes], summing to at most total_
  std::vector<std::size_t> match(const std::vector<std::vector<Share>>& characters) const;
  std::vector<Share> choices(const Slot& slot) const;

  std::vector<Slot> slots_;
  std::size_t classes_;
  int blank_;
  double total_ = 0;
};

}  // namespace lprfast::vote
