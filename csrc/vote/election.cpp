#include "vote/election.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace lprfast::vote {

namespace {

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

}  // namespace

Election::Election(const std::vector<Voter>& voters, const Options& options, double effective_reads)
    : voters_(voters),
      scorer_(voters, options),
      candidates_(propose(voters, options)),
      prior_(options.prior),
      effective_reads_(effective_reads),
      floor_(options.floor) {
  score_own();
  score_new();
}

void Election::add_doubts(std::size_t leader, const std::vector<Character>& characters) {
  std::size_t doubtful = 0;
  for (const Character& character : characters) doubtful += character.confidence < kDoubtful;
  const Labels labels = candidates_.texts()[leader];
  propose_substitutions(labels, characters, doubtful, candidates_);
  score_new();
}

bool Election::better(std::size_t left, std::size_t right) const {
  const Scored &a = scored_[left], &b = scored_[right];
  if (a.score != b.score) return a.score > b.score;
  if (a.support != b.support) return a.support > b.support;
  return candidates_.texts()[left] < candidates_.texts()[right];
}

std::vector<std::size_t> Election::ranking() const {
  std::vector<std::size_t> order(scored_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) { return better(a, b); });
  return order;
}

std::size_t Election::leader() const {
  std::size_t best = 0;
  for (std::size_t i = 1; i < scored_.size(); ++i) best = better(i, best) ? i : best;
  return best;
}

Scored Election::evaluate(const Labels& labels) {
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

double Election::least(std::size_t voter, const Labels& labels) const {
  return is_cut(voters_[voter].labels, labels) ? std::max(floor_, kCut + own_[voter]) : floor_;
}

// Voters mostly read the same text: each is scored once.
void Election::score_own() {
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

void Election::score_new() {
  for (std::size_t index = scored_.size(); index < candidates_.texts().size(); ++index) {
    scored_.push_back(evaluate(candidates_.texts()[index]));
  }
}

}  // namespace lprfast::vote
