// The candidates with their scores, and the order that ranks them.
#pragma once

#include <cstddef>
#include <vector>

#include "vote/candidates.hpp"
#include "vote/scorer.hpp"
#include "vote/vote.hpp"
#include "vote/voter.hpp"

namespace lprfast::vote {

struct Scored {
  std::vector<double> log_likelihoods;  // per voter
  double likelihood = 0;                // their weighted mean
  double score = 0;                     // the same, and the prior's share
  double support = 0;                   // weight of the voters that read exactly this
  double mean_probability = 0;          // weighted mean of what the voters give it, without a floor
};

class Election {
 public:
  // The voters must outlive it.
  Election(const std::vector<Voter>& voters, const Options& options, double effective_reads);

  // Proposes the leader's runners-up where `characters`, its own, leave doubt.
  void add_doubts(std::size_t leader, const std::vector<Character>& characters);

  std::vector<std::size_t> ranking() const;
  std::size_t leader() const;

  const std::vector<Labels>& texts() const { return candidates_.texts(); }
  const Scored& scored(std::size_t index) const { return scored_[index]; }

  // Of any text, proposed or not.
  Scored evaluate(const Labels& labels);

  // Odds are exp(effective reads * difference): so the prior counts once, however many the reads.
  double prior_share(const Labels& labels) const { return prior_ ? (*prior_)(labels) / effective_reads_ : 0; }

  // What a voter says of a text at least, whatever its posteriors.
  double least(std::size_t voter, const Labels& labels) const;

 private:
  bool better(std::size_t left, std::size_t right) const;
  void score_own();
  void score_new();

  const std::vector<Voter>& voters_;
  TrackScorer scorer_;
  std::vector<double> own_;  // log-likelihood of each voter's own text
  Candidates candidates_;
  const ctc::TextPrior* prior_;
  double effective_reads_;
  std::vector<Scored> scored_;
  double floor_;
};

}  // namespace lprfast::vote
