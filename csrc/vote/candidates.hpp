// Which texts the vote decides between.
#pragma once

#include <set>
#include <vector>

#include "vote/voter.hpp"

namespace lprfast::vote {

// Texts in the order in which they were proposed, none twice, none empty.
class Candidates {
 public:
  explicit Candidates(std::size_t limit) : limit_(limit) {}
  void add(const Labels& labels);
  const std::vector<Labels>& texts() const { return texts_; }

 private:
  std::vector<Labels> texts_;
  std::set<Labels> known_;
  std::size_t limit_;
};

// `voters` best first, their weights set.
Candidates propose(const std::vector<Voter>& voters, const Options& options);

// `labels` with the runner-up in place of each of its two weakest characters, one at a time and both.
void propose_substitutions(const Labels& labels, const std::vector<Character>& characters, std::size_t weakest,
                           Candidates& candidates);

}  // namespace lprfast::vote
