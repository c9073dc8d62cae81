#include "vote/rules.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <stdexcept>

#include "vote/scorer.hpp"
#include "vote/slot_rules.hpp"
#include "vote/voter.hpp"

namespace lprfast::vote {

namespace {

constexpr const char* kNames[] = {"fused", "best", "majority", "mvcp", "rover", "product"};
constexpr float kUnknownConfidence = 0.9f;  // of a character that came without one, as in the lattices
// Stands for a log-posterior of -infinity, so that what one crop excludes step by step can still be summed.
constexpr double kImpossible = -1000;
constexpr int kBeam = 10;
constexpr double kBeamPrune = 1e-4;

// --- the votes ---

bool has_posteriors(const Voter& voter) { return voter.ballot->log_posteriors.data != nullptr; }

// The number of time steps that most ballots have, the smaller of equally frequent ones; 0 when none has any.
std::size_t usual_steps(const std::vector<Voter>& voters) {
  std::map<std::size_t, std::size_t> counts;
  for (const Voter& voter : voters) {
    if (has_posteriors(voter)) counts[voter.scores.steps] += voter.indices.size();
  }
  const auto usual = std::max_element(counts.begin(), counts.end(), [](const auto& left, const auto& right) {
    return left.second < right.second;
  });
  return usual == counts.end() ? 0 : usual->first;
}

// Leaves the voters that this rule can count.
void keep_fit(Rule rule, std::vector<Voter>& voters, std::vector<Contribution>& contributions) {
  const std::size_t steps = usual_steps(voters);
  const auto fits = [&](const Voter& voter) {
    if (rule == Rule::product) return has_posteriors(voter) && voter.scores.steps == steps;
    return !voter.labels.empty();
  };
  for (const Voter& voter : voters) {
    const Use use = fits(voter) ? Use::voted : rule == Rule::product ? Use::unfit : Use::empty;
    for (const std::size_t index : voter.indices) contributions[index].use = use;
  }
  voters.erase(std::remove_if(voters.begin(), voters.end(), [&](const Voter& voter) { return !fits(voter); }),
               voters.end());
}

// What the read says of each of its characters; a read that came without a text has the greedy one's.
std::vector<Character> characters_of(const Voter& voter, const Ballot& ballot, int blank) {
  std::vector<Character> characters;
  if (ballot.labels.empty()) {
    for (const ctc::Character& c : voter.characters) {
      characters.push_back({c.label, std::min(1.0f, c.confidence), c.runner_up, c.runner_up_confidence});
    }
    return characters;
  }
  for (std::size_t i = 0; i < ballot.labels.size(); ++i) {
    Character character{ballot.labels[i], kUnknownConfidence, blank, 0};
    if (i < ballot.confidences.size()) character.confidence = ballot.confidences[i];
    if (i < ballot.runners_up.size()) {
      character.runner_up = ballot.runners_up[i];
      character.runner_up_confidence = ballot.runner_up_confidences[i];
    }
    characters.push_back(character);
  }
  return characters;
}

std::vector<Vote> list_votes(const std::vector<Voter>& voters, const std::vector<Ballot>& ballots,
                             int blank) {
  std::vector<Vote> votes;
  for (const Voter& voter : voters) {
    for (const std::size_t index : voter.indices) {
      const Ballot& ballot = ballots[index];
      const double confidence = ballot.labels.empty() ? voter.certainty : ballot.confidence;
      votes.push_back({&voter, index, confidence, characters_of(voter, ballot, blank), 0});
    }
  }
  for (Vote& vote : votes) vote.weight = 1 / static_cast<double>(votes.size());
  return votes;
}

// --- whole texts ---

void decide_best(std::vector<Vote>& votes, const Options& options, Result& result) {
  std::map<Labels, double> highest;
  for (const Vote& vote : votes) {
    double& confidence = highest.emplace(vote.voter->labels, 0.0).first->second;
    confidence = std::max(confidence, vote.confidence);
  }
  // max_element gives the first of equals: the map is in the order of the charset.
  const auto winner = std::max_element(highest.begin(), highest.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
  result.labels = winner->first;
  result.probability = winner->second;
  double chosen = 0;
  for (Vote& vote : votes) {
    vote.weight = vote.voter->labels == result.labels && vote.confidence == result.probability;
    if (vote.weight > 0 && chosen == 0) result.characters = vote.characters;
    chosen += vote.weight;
  }
  for (Vote& vote : votes) vote.weight /= chosen;
  highest.erase(winner);
  std::vector<Alternative> others;
  for (const auto& [labels, confidence] : highest) others.push_back({labels, confidence});
  set_alternatives(std::move(others), options, result);
}

// Mean confidence of every character over the reads of this text, and the runner-up with the highest mean.
std::vector<Character> mean_characters(const std::vector<Vote>& votes, const Labels& labels, int blank) {
  std::vector<double> confidences(labels.size(), 0.0);
  std::vector<std::map<int, double>> others(labels.size());
  double count = 0;
  for (const Vote& vote : votes) {
    if (vote.voter->labels != labels) continue;
    ++count;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const Character& character = vote.characters[i];
      confidences[i] += static_cast<double>(character.confidence);
      if (character.runner_up == blank || character.runner_up == labels[i]) continue;
      others[i][character.runner_up] += static_cast<double>(character.runner_up_confidence);
    }
  }
  std::vector<Character> characters;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    Character mean{labels[i], static_cast<float>(confidences[i] / count), blank, 0};
    for (const auto& [label, sum] : others[i]) {
      const float confidence = static_cast<float>(sum / count);
      if (mean.runner_up != blank && confidence <= mean.runner_up_confidence) continue;
      mean.runner_up = label;
      mean.runner_up_confidence = confidence;
    }
    characters.push_back(mean);
  }
  return characters;
}

void decide_majority(const std::vector<Vote>& votes, const Options& options, Result& result) {
  struct Tally {
    double count = 0;
    double confidences = 0;
  };
  std::map<Labels, Tally> tallies;
  for (const Vote& vote : votes) {
    Tally& tally = tallies[vote.voter->labels];
    ++tally.count;
    tally.confidences += vote.confidence;
  }
  const auto winner = std::max_element(tallies.begin(), tallies.end(), [](const auto& a, const auto& b) {
    if (a.second.count != b.second.count) return a.second.count < b.second.count;
    return a.second.confidences < b.second.confidences;
  });
  const double reads = static_cast<double>(votes.size());
  result.labels = winner->first;
  result.probability = winner->second.count / reads;
  result.characters = mean_characters(votes, result.labels, options.blank);
  tallies.erase(winner);
  std::vector<Alternative> others;
  for (const auto& [labels, tally] : tallies) others.push_back({labels, tally.count / reads});
  set_alternatives(std::move(others), options, result);
}

// --- time steps ---

// log-softmax of the sum of the votes' log-posteriors.
std::vector<float> summed_posteriors(const std::vector<Vote>& votes, std::size_t steps, std::size_t classes) {
  std::vector<double> sums(steps * classes, 0.0);
  for (const Vote& vote : votes) {
    const float* const values = vote.voter->scores.data;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] += std::max(static_cast<double>(values[i]), kImpossible);
    }
  }
  std::vector<float> normalised(sums.size());
  for (std::size_t step = 0; step < steps; ++step) {
    const double* const row = &sums[step * classes];
    const double highest = *std::max_element(row, row + classes);
    double total = 0;
    for (std::size_t k = 0; k < classes; ++k) total += std::exp(row[k] - highest);
    for (std::size_t k = 0; k < classes; ++k) {
      normalised[step * classes + k] = static_cast<float>(row[k] - highest - std::log(total));
    }
  }
  return normalised;
}

void decide_product(const std::vector<Vote>& votes, const Options& options, Result& result) {
  const ScoresView shape = votes.front().voter->scores;
  const std::vector<float> sums = summed_posteriors(votes, shape.steps, shape.classes);
  const ScoresView pooled{sums.data(), shape.steps, shape.classes};
  std::vector<ctc::Character> characters;
  ctc::greedy(pooled, options.blank, characters);
  for (const ctc::Character& c : characters) {
    result.labels.push_back(c.label);
    result.characters.push_back(
        {c.label, std::min(1.0f, c.confidence), c.runner_up, std::min(1.0f, c.runner_up_confidence)});
  }
  if (result.labels.empty()) return;
  const auto probability = [&](const Labels& labels) {
    return std::min(1.0, std::exp(ctc::score(pooled, options.blank, labels.data(), labels.size())));
  };
  result.probability = probability(result.labels);
  ctc::BeamOptions beam;
  beam.beam_size = beam.nbest = kBeam;
  beam.prune = kBeamPrune;
  std::vector<Alternative> others;
  for (const ctc::Hypothesis& text : ctc::beam_search(pooled, options.blank, beam)) {
    if (text.labels.empty() || text.labels == result.labels) continue;
    others.push_back({text.labels, probability(text.labels)});
  }
  set_alternatives(std::move(others), options, result);
}

void set_contributions(const std::vector<Voter>& voters, const std::vector<Vote>& votes,
                       const Options& options, Result& result) {
  std::vector<double> log_likelihoods(voters.size(), 0.0);
  if (!result.labels.empty()) TrackScorer(voters, options).score(result.labels, log_likelihoods.data());
  for (const Vote& vote : votes) {
    Contribution& contribution = result.contributions[vote.index];
    contribution.weight = vote.weight;
    contribution.log_likelihood = log_likelihoods[static_cast<std::size_t>(vote.voter - voters.data())];
    contribution.labels = vote.voter->labels;
  }
}

}  // namespace

Rule rule_of(const std::string& name) {
  const auto found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found != std::end(kNames)) return static_cast<Rule>(found - std::begin(kNames));
  std::string message = "rule: expected one of ";
  for (const char* known : kNames) message += std::string(known == kNames[0] ? "" : ", ") + known;
  throw std::invalid_argument(message + "; got '" + name + "'");
}

Result decide_by(Rule rule, const std::vector<Ballot>& ballots, const Options& options,
                 const Watchlist* watchlist) {
  if (rule == Rule::fused) return decide(ballots, options, watchlist);
  Result result;
  std::vector<Voter> voters = prepare(ballots, options, result.contributions);
  keep_fit(rule, voters, result.contributions);
  if (voters.empty()) return result;
  result.effective_reads = weigh(voters, options);
  std::vector<Vote> votes = list_votes(voters, ballots, options.blank);
  if (rule == Rule::best) decide_best(votes, options, result);
  if (rule == Rule::majority) decide_majority(votes, options, result);
  if (rule == Rule::mvcp) decide_mvcp(votes, options, result);
  if (rule == Rule::rover) decide_rover(votes, options, result);
  if (rule == Rule::product) decide_product(votes, options, result);
  result.raw_probability = result.probability;
  set_contributions(voters, votes, options, result);
  return result;
}

}  // namespace lprfast::vote
