#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "vote/election.hpp"
#include "vote/match.hpp"
#include "vote/slots.hpp"
#include "vote/vote.hpp"

namespace lprfast::vote {

namespace {

constexpr int kRounds = 3;  // of doubting the leader's characters

// Voters to which every text is as unlikely as the floor say nothing: they leave, unless all are such. Kept,
// they would only take from the weights of the others. Says whether any left.
bool dismiss_silent(const Election& election, std::vector<Voter>& voters,
                    std::vector<Contribution>& contributions, const Options& options) {
  std::vector<bool> heard(voters.size(), false);
  for (std::size_t text = 0; text < election.texts().size(); ++text) {
    const std::vector<double>& says = election.scored(text).log_likelihoods;
    for (std::size_t i = 0; i < voters.size(); ++i) heard[i] = heard[i] || says[i] > options.floor;
  }
  const auto speakers = static_cast<std::size_t>(std::count(heard.begin(), heard.end(), true));
  if (speakers == 0 || speakers == voters.size()) return false;
  leave_out(voters, heard, Use::silent, contributions);
  return true;
}

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
  std::optional<Election> held(std::in_place, voters, options, result.effective_reads);
  if (dismiss_silent(*held, voters, result.contributions, options)) {
    result.effective_reads = weigh(voters, options);
    held.emplace(voters, options, result.effective_reads);
  }
  Election& election = *held;
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
  if (result.effective_reads > 1) {  // the fit has seen no others
    calibrate(options.calibration, evidence_for(election, winner, result.effective_reads), result);
  }
  if (watchlist) match(*watchlist, election, voters, winner, options, result);
  set_contributions(voters, election.scored(winner), result);
  return result;
}

}  // namespace lprfast::vote
