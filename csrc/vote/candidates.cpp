#include "vote/candidates.hpp"

#include <algorithm>
#include <numeric>

#include "vote/align.hpp"

namespace lprfast::vote {

namespace {

constexpr std::size_t kBestReads = 3;  // whose weak characters are doubted
constexpr std::size_t kWeakest = 2;    // characters doubted in one read
constexpr std::size_t kNetworkTexts = 12;
constexpr std::size_t kProposals = 8;  // taken from one read
constexpr double kBeamPrune = 1e-4;

void propose_beam(const Voter& voter, const Options& options, Candidates& candidates) {
  ctc::BeamOptions beam;
  beam.beam_size = beam.nbest = options.beam_size;
  beam.prune = kBeamPrune;
  for (const ctc::Hypothesis& text : ctc::beam_search(voter.scores, options.blank, beam)) {
    candidates.add(text.labels);
  }
}

void propose_own_substitutions(const Voter& voter, Candidates& candidates) {
  Labels labels;
  std::vector<Character> characters;
  for (const ctc::Character& character : voter.characters) {
    labels.push_back(character.label);
    characters.push_back(
        {character.label, character.confidence, character.runner_up, character.runner_up_confidence});
  }
  propose_substitutions(labels, characters, kWeakest, candidates);
}

}  // namespace

void Candidates::add(const Labels& labels) {
  const bool has_blank = std::find(labels.begin(), labels.end(), blank_) != labels.end();
  if (labels.empty() || has_blank || texts_.size() == limit_ || !known_.insert(labels).second) return;
  texts_.push_back(labels);
}

void propose_substitutions(const Labels& labels, const std::vector<Character>& characters,
                           std::size_t weakest, Candidates& candidates) {
  std::vector<std::size_t> order(characters.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
    return characters[left].confidence < characters[right].confidence;
  });
  order.resize(std::min(weakest, order.size()));
  for (const std::size_t position : order) {
    Labels changed = labels;
    changed[position] = characters[position].runner_up;
    candidates.add(changed);
  }
  if (order.size() < 2) return;
  Labels changed = labels;
  for (std::size_t i = 0; i < 2; ++i) changed[order[i]] = characters[order[i]].runner_up;
  candidates.add(changed);
}

Candidates propose(const std::vector<Voter>& voters, const Options& options) {
  Candidates candidates(options);
  Network network(options.classes, options.blank);
  for (const Voter& voter : voters) network.add(voter);
  for (const Labels& labels : network.best(kNetworkTexts)) candidates.add(labels);
  for (std::size_t i = 0; i < std::min(kBestReads, voters.size()); ++i) {
    propose_own_substitutions(voters[i], candidates);
  }
  for (std::size_t i = 0; i < std::min(options.beam_reads, voters.size()); ++i) {
    if (voters[i].ballot->log_posteriors.data) propose_beam(voters[i], options, candidates);
  }
  for (const Voter& voter : voters) candidates.add(voter.labels);
  for (const Voter& voter : voters) {
    const std::vector<Labels>& proposals = voter.ballot->proposals;
    for (std::size_t i = 0; i < std::min(kProposals, proposals.size()); ++i) candidates.add(proposals[i]);
  }
  return candidates;
}

}  // namespace lprfast::vote
