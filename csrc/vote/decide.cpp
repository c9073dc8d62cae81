#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "vote/candidates.hpp"
#include "vote/scorer.hpp"
#include "vote/slots.hpp"
#include "vote/vote.hpp"
#include "vote/voter.hpp"

namespace lprfast::vote {

namespace {

constexpr int kRounds = 3;           // of doubting the leader's characters
constexpr float kDoubtful = 0.999f;  // characters surer than this are not doubted

// Boxes cut characters off more often than readers make whole ones up at the ends. Shorter texts say little.
constexpr double kCut = -4.5;  // log probability that a box did
constexpr std::size_t kCutLength = 5;

// Whether `shorter` is `labels` without its first or without its last character.
bool is_cut(const Labels& shorter, const Labels& labels) {
  if (labels.size() < kCutLength || shorter.size() + 1 != labels.size()) return false;
  return std::equal(shorter.begin(), shorter.end(), labels.begin()) ||
         std::equal(shorter.begin(), shorter.end(), labels.begin() + 1);
}

struct Scored {
  std::vector<double> log_likelihoods;  // per voter
  double score = 0;                     // their weighted mean
  double support = 0;                   // weight of the voters that read exactly this
};

// The candidates with their scores, and the order that ranks them.
class Election {
 public:
  Election(const std::vector<Voter>& voters, const Options& options)
      : voters_(voters), scorer_(voters, options), candidates_(propose(voters, options)) {
    score_own(options.floor);
    score_new();
  }

  void add_doubts(std::size_t leader, const std::vector<Character>& characters) {
    std::size_t doubtful = 0;
    for (const Character& character : characters) doubtful += character.confidence < kDoubtful;
    const Labels labels = candidates_.texts()[leader];
    propose_substitutions(labels, characters, doubtful, candidates_);
    score_new();
  }

  bool better(std::size_t left, std::size_t right) const {
    const Scored &a = scored_[left], &b = scored_[right];
    if (a.score != b.score) return a.score > b.score;
    if (a.support != b.support) return a.support > b.support;
    return candidates_.texts()[left] < candidates_.texts()[right];
  }

  std::vector<std::size_t> ranking() const {
    std::vector<std::size_t> order(scored_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) { return better(a, b); });
    return order;
  }

  std::size_t leader() const {
    std::size_t best = 0;
    for (std::size_t i = 1; i < scored_.size(); ++i) best = better(i, best) ? i : best;
    return best;
  }

  const std::vector<Labels>& texts() const { return candidates_.texts(); }
  const Scored& scored(std::size_t index) const { return scored_[index]; }

 private:
  // Voters mostly read the same text: each is scored once.
  void score_own(double floor) {
    std::map<Labels, std::vector<double>> scores;
    for (std::size_t i = 0; i < voters_.size(); ++i) {
      const Labels& labels = voters_[i].labels;
      own_.push_back(floor);
      if (labels.empty()) continue;
      const auto [found, fresh] = scores.try_emplace(labels, voters_.size());
      if (fresh) scorer_.score(labels, found->second.data());
      own_[i] = found->second[i];
    }
  }

  void score_new() {
    for (std::size_t index = scored_.size(); index < candidates_.texts().size(); ++index) {
      const Labels& labels = candidates_.texts()[index];
      Scored scored;
      scored.log_likelihoods.resize(voters_.size());
      scorer_.score(labels, scored.log_likelihoods.data());
      for (std::size_t i = 0; i < voters_.size(); ++i) {
        double& log_likelihood = scored.log_likelihoods[i];
        if (is_cut(voters_[i].labels, labels)) log_likelihood = std::max(log_likelihood, kCut + own_[i]);
        scored.score += voters_[i].weight * log_likelihood;
        if (voters_[i].labels == labels) scored.support += voters_[i].weight;
      }
      scored_.push_back(std::move(scored));
    }
  }

  const std::vector<Voter>& voters_;
  TrackScorer scorer_;
  std::vector<double> own_;  // log-likelihood of each voter's own text
  Candidates candidates_;
  std::vector<Scored> scored_;
};

// The winner, after its characters were doubted until no substitution does better, and its characters'
// posteriors.
std::size_t elect(Election& election, const std::vector<Voter>& voters, const Options& options,
                  Result& result) {
  std::size_t leader = election.leader();
  for (int round = 0;; ++round) {
    result.characters = pool_characters(election.texts()[leader], voters, result.effective_reads, options);
    if (round == kRounds) return leader;
    election.add_doubts(leader, result.characters);
    const std::size_t next = election.leader();
    if (next == leader) return leader;
    leader = next;
  }
}

// Everything relative to the winner, which is 1. Texts of the winner's length have at least the mass that the
// characters' posteriors leave them, whether proposed or not.
void set_probabilities(const Election& election, std::size_t winner, const Options& options, Result& result) {
  const std::size_t length = election.texts()[winner].size();
  double same_length = 0, other_length = 0, log_lattice = 0;
  for (std::size_t i = 0; i < election.texts().size(); ++i) {
    const double odds =
        std::exp(result.effective_reads * (election.scored(i).score - election.scored(winner).score));
    (election.texts()[i].size() == length ? same_length : other_length) += odds;
  }
  for (const Character& character : result.characters) {
    log_lattice -= std::log(std::max(character.confidence, 1e-6f));
  }
  const double proposed = std::max(same_length, std::exp(log_lattice)) + other_length;
  result.probability = (1 - options.reserve) / proposed;
  for (const std::size_t i : election.ranking()) {
    if (result.alternatives.size() == options.alternatives) break;
    if (i == winner) continue;
    const double odds =
        std::exp(result.effective_reads * (election.scored(i).score - election.scored(winner).score));
    result.alternatives.push_back({election.texts()[i], odds * result.probability});
  }
}

// Capped by calibrate(); without another candidate there is no end to the margin.
Evidence evidence_for(const Election& election, std::size_t winner, double effective_reads) {
  Evidence evidence{election.scored(winner).support, std::numeric_limits<double>::infinity()};
  for (std::size_t i = 0; i < election.texts().size(); ++i) {
    if (i == winner) continue;
    const double lead = election.scored(winner).score - election.scored(i).score;
    evidence.margin = std::min(evidence.margin, effective_reads * lead);
  }
  return evidence;
}

std::size_t find(const Election& election, const Labels& labels) {
  const std::vector<Labels>& texts = election.texts();
  return static_cast<std::size_t>(std::find(texts.begin(), texts.end(), labels) - texts.begin());
}

// The voter to repeat when all voters are one picture read as one text, else null.
const Voter* lone_voter(const std::vector<Voter>& voters, double effective_reads) {
  const Ballot& first = *voters.front().ballot;
  if (effective_reads > 1 || first.labels.empty()) return nullptr;
  for (const Voter& voter : voters) {
    if (voter.ballot->labels != first.labels) return nullptr;
  }
  return &voters.front();
}

// A read without company keeps the figures that it came with.
void keep_own(const Ballot& ballot, Result& result) {
  result.probability = std::min(1.0, std::max(0.0, ballot.confidence));
  for (std::size_t i = 0; i < ballot.labels.size(); ++i) {
    if (i < ballot.confidences.size()) result.characters[i].confidence = ballot.confidences[i];
    if (i < ballot.runners_up.size()) result.characters[i].runner_up = ballot.runners_up[i];
    if (i < ballot.runner_up_confidences.size()) {
      result.characters[i].runner_up_confidence = ballot.runner_up_confidences[i];
    }
  }
  double others = 0;
  for (const Alternative& alternative : result.alternatives) others += alternative.probability;
  if (others <= 1 - result.probability) return;
  for (Alternative& alternative : result.alternatives) {
    alternative.probability *= (1 - result.probability) / others;
  }
}

void set_contributions(const std::vector<Voter>& voters, const Scored& winner, Result& result) {
  for (std::size_t i = 0; i < voters.size(); ++i) {
    const std::size_t copies = voters[i].indices.size();
    for (const std::size_t index : voters[i].indices) {
      Contribution& contribution = result.contributions[index];
      contribution.weight = voters[i].weight / static_cast<double>(copies);
      contribution.log_likelihood = winner.log_likelihoods[i];
      contribution.labels = voters[i].labels;
    }
  }
}

}  // namespace

Result decide(const std::vector<Ballot>& ballots, const Options& options) {
  Result result;
  std::vector<Voter> voters = prepare(ballots, options, result.contributions);
  if (voters.empty()) return result;
  result.effective_reads = weigh(voters, options);
  Election election(voters, options);
  if (election.texts().empty()) {
    set_contributions(voters, {std::vector<double>(voters.size(), 0.0), 0, 0}, result);
    return result;
  }
  const Voter* const lone = lone_voter(voters, result.effective_reads);
  std::size_t winner = elect(election, voters, options, result);
  if (lone && election.texts()[winner] != lone->labels) {
    winner = find(election, lone->labels);
    result.characters = pool_characters(lone->labels, voters, result.effective_reads, options);
  }
  result.labels = election.texts()[winner];
  set_probabilities(election, winner, options, result);
  if (lone) keep_own(*lone->ballot, result);
  result.raw_probability = result.probability;
  if (!lone) {
    calibrate(options.calibration, evidence_for(election, winner, result.effective_reads), result);
  }
  set_contributions(voters, election.scored(winner), result);
  return result;
}

}  // namespace lprfast::vote
