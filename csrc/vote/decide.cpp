#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "vote/candidates.hpp"
#include "vote/match.hpp"
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
  double likelihood = 0;                // their weighted mean
  double score = 0;                     // the same, and the prior's share
  double support = 0;                   // weight of the voters that read exactly this
  double mean_probability = 0;          // weighted mean of what the voters give it, without a floor
};

// The candidates with their scores, and the order that ranks them.
class Election {
 public:
  Election(const std::vector<Voter>& voters, const Options& options, double effective_reads)
      : voters_(voters),
        scorer_(voters, options),
        candidates_(propose(voters, options)),
        prior_(options.prior),
        effective_reads_(effective_reads),
        floor_(options.floor) {
    score_own();
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

  // Of any text, proposed or not.
  Scored evaluate(const Labels& labels) {
    Scored scored;
    scored.log_likelihoods.resize(voters_.size());
    std::vector<double> probabilities(voters_.size());
    scorer_.score(labels, scored.log_likelihoods.data(), probabilities.data());
    for (std::size_t i = 0; i < voters_.size(); ++i) {
      double& log_likelihood = scored.log_likelihoods[i];
      if (is_cut(voters_[i].labels, labels)) {
        log_likelihood = std::max(log_likelihood, kCut + own_[i]);
        probabilities[i] = std::max(probabilities[i], std::exp(kCut + own_[i]));
      }
      scored.likelihood += voters_[i].weight * log_likelihood;
      scored.mean_probability += voters_[i].weight * probabilities[i];
      if (voters_[i].labels == labels) scored.support += voters_[i].weight;
    }
    scored.score = scored.likelihood + prior_share(labels);
    return scored;
  }

  // Odds are exp(effective reads * difference): so the prior counts once, however many the reads.
  double prior_share(const Labels& labels) const { return prior_ ? (*prior_)(labels) / effective_reads_ : 0; }

  // What a voter says of a text at least, whatever its posteriors.
  double least(std::size_t voter, const Labels& labels) const {
    return is_cut(voters_[voter].labels, labels) ? std::max(floor_, kCut + own_[voter]) : floor_;
  }

 private:
  // Voters mostly read the same text: each is scored once.
  void score_own() {
    std::map<Labels, std::vector<double>> scores;
    for (std::size_t i = 0; i < voters_.size(); ++i) {
      const Labels& labels = voters_[i].labels;
      own_.push_back(floor_);
      if (labels.empty()) continue;
      const auto [found, fresh] = scores.try_emplace(labels, voters_.size());
      if (fresh) scorer_.score(labels, found->second.data());
      own_[i] = found->second[i];
    }
  }

  void score_new() {
    for (std::size_t index = scored_.size(); index < candidates_.texts().size(); ++index) {
      scored_.push_back(evaluate(candidates_.texts()[index]));
    }
  }

  const std::vector<Voter>& voters_;
  TrackScorer scorer_;
  std::vector<double> own_;  // log-likelihood of each voter's own text
  Candidates candidates_;
  const ctc::TextPrior* prior_;
  double effective_reads_;
  std::vector<Scored> scored_;
  double floor_;
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
  double same_length = 0, other_length = 0, log_lattice = 0, moved = 0;
  for (std::size_t i = 0; i < election.texts().size(); ++i) {
    const Scored &own = election.scored(i), &best = election.scored(winner);
    const double odds = std::exp(result.effective_reads * (own.score - best.score));
    (election.texts()[i].size() == length ? same_length : other_length) += odds;
    // By the crops alone, as the lattice has it; the same bits without a prior.
    const double plain = std::exp(result.effective_reads * (own.likelihood - best.likelihood));
    if (election.texts()[i].size() == length) moved += odds - plain;
  }
  for (const Character& character : result.characters) {
    log_lattice -= std::log(std::max(character.confidence, 1e-6f));
  }
  const double proposed = std::max(same_length, std::exp(log_lattice) + moved) + other_length;
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

// The candidates by their text, and what turns a score into a probability beside the winner's.
struct Standing {
  std::map<Labels, std::size_t> proposed;
  double best = 0;  // the winner's score
  double even = 0;  // probability of a text with the same score
  double left = 0;  // of all texts that nobody proposed
};

Standing standing_of(const Election& election, std::size_t winner, const Result& result) {
  Standing standing;
  standing.best = election.scored(winner).score;
  standing.even = result.probability;
  const auto odds = [&](std::size_t i) {
    return std::exp(result.effective_reads * (election.scored(i).score - standing.best));
  };
  for (std::size_t i = 0; i < election.texts().size(); ++i) {
    standing.proposed.emplace(election.texts()[i], i);
  }
  // The alternatives' probabilities may have been scaled since they followed from the odds.
  if (!result.alternatives.empty()) {
    const double first = odds(standing.proposed[result.alternatives.front().labels]);
    if (first > 0) standing.even = result.alternatives.front().probability / first;
  }
  standing.left = 1 - result.probability;
  for (std::size_t i = 0; i < election.texts().size(); ++i) {
    if (i != winner) standing.left -= standing.even * odds(i);
  }
  standing.left = std::max(0.0, standing.left);
  return standing;
}

// The texts of the watchlist but those that surely stay under its `least`.
void match(const Watchlist& watchlist, Election& election, const std::vector<Voter>& voters,
           std::size_t winner, const Options& options, Result& result) {
  Standing standing = standing_of(election, winner, result);
  ScoreBound bound(voters, options);
  const auto log_ratio = [&](double score) { return result.effective_reads * (score - standing.best); };
  for (std::size_t index = 0; index < watchlist.size; ++index) {
    const Labels labels = labels_of(watchlist, index, options);
    const auto found = standing.proposed.find(labels);
    if (found != standing.proposed.end()) {
      const double ratio = log_ratio(election.scored(found->second).score);
      const double other = std::min(standing.even * std::exp(ratio), 1 - result.probability);
      result.matches.push_back({index, found->second == winner ? result.probability : other, ratio});
      continue;
    }
    const double most = bound.of(labels, [&](std::size_t i) { return election.least(i, labels); }) +
                        election.prior_share(labels);
    if (standing.even * std::exp(log_ratio(most)) < watchlist.least) continue;
    const Scored scored = election.evaluate(labels);
    const double ratio = log_ratio(scored.score);
    // No crop need have thought of the text: then it has no more than they give it on average.
    const double other = std::min({standing.even * std::exp(ratio), standing.left, scored.mean_probability});
    result.matches.push_back({index, other, ratio});
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

Result decide(const std::vector<Ballot>& ballots, const Options& options, const Watchlist* watchlist) {
  Result result;
  std::vector<Voter> voters = prepare(ballots, options, result.contributions);
  if (voters.empty()) return result;
  result.effective_reads = weigh(voters, options);
  Election election(voters, options, result.effective_reads);
  if (election.texts().empty()) {
    set_contributions(voters, {std::vector<double>(voters.size(), 0.0), 0, 0, 0, 0}, result);
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
  if (watchlist) match(*watchlist, election, voters, winner, options, result);
  set_contributions(voters, election.scored(winner), result);
  return result;
}

}  // namespace lprfast::vote
