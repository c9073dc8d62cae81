// Which texts the vote decides between.
#pragma once

#include <set>
#include <vector>

#include "vote/voter.hpp"

namespace lprfast::vote {

// Texts in the order in which they were proposed, none twice, none empty, none with the blank in it.
class Candidates {
 public:
  explicit Candidates(const Options& options) : limit_(options.max_candidates), blank_(options.blank) {}
  void add(const Labels& labels);
  const std::vector<Labels>& texts() const { return texts_; }

 private:
  std::vector<Labels> texts_;
  std::set<Labels> known_;
  std::size_t limit_;
  int blank_;
};

// `voters` best first, their weights set.
Candidates propose(const std::vector<Voter>& voters, const Options& options);

// `labels` with the runner-up in place of each of its weakest characters, one at a time, and of the two
// weakest.
void propose_substitutions(const Labels& labels, const std::vector<Character>& characters,
                           std::size_t weakest, Candidates& candidates);

}  // namespace lprfast::vote
