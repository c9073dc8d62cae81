#include "pipeline/rescore.hpp"

#include <algorithm>
#include <cmath>

namespace lprfast::pipeline {
namespace {

constexpr int kBeam = 8;
constexpr double kPrune = 1e-3;
// Surer texts keep their confidence: what the prior could add or take is less than calibration knows.
constexpr double kSure = 0.95;

ctc::Labels labels_of(const Read& read) {
  ctc::Labels labels;
  for (const ctc::Character& character : read.characters) labels.push_back(character.label);
  return labels;
}

// Whether no other text can be likelier, even if it has all the rest and follows the best layout.
bool is_sure(const ctc::TextPrior& prior, const ctc::Labels& labels, double probability) {
  return probability >= kSure &&
         probability * std::exp(prior(labels)) >= (1 - probability) * std::exp(prior.largest());
}

// The likeliest texts with their log-probabilities: the read's own, and those of a beam. The text of no
// character is not among them: whether there is a plate is none of the prior's business.
std::vector<ctc::Hypothesis> likeliest(ScoresView posteriors, const DecodeSpec& spec, const ctc::Labels& own,
                                       double probability) {
  ctc::BeamOptions options;
  options.beam_size = options.nbest = std::max(kBeam, spec.nbest);
  options.prune = kPrune;
  std::vector<ctc::Hypothesis> texts = ctc::beam_search(posteriors, spec.blank, options);
  const auto is = [](const ctc::Labels& labels) {
    return [&labels](const ctc::Hypothesis& text) { return text.labels == labels; };
  };
  const ctc::Labels none;
  texts.erase(std::remove_if(texts.begin(), texts.end(), is(none)), texts.end());
  // Its probability is the exact one; a beam may have lost some of it.
  texts.erase(std::remove_if(texts.begin(), texts.end(), is(own)), texts.end());
  texts.insert(texts.begin(), {own, std::log(probability)});
  return texts;
}

// What the texts have together stays; they share it anew.
void move_odds(const ctc::TextPrior& prior, std::vector<ctc::Hypothesis>& texts) {
  double before = 0, after = 0;
  for (ctc::Hypothesis& text : texts) {
    before += std::exp(text.log_prob);
    text.log_prob += prior(text.labels);
    after += std::exp(text.log_prob);
  }
  const double shift = std::log(std::min(1.0, before)) - std::log(after);
  for (ctc::Hypothesis& text : texts) text.log_prob += shift;
  std::stable_sort(texts.begin(), texts.end(), [](const ctc::Hypothesis& a, const ctc::Hypothesis& b) {
    return a.log_prob > b.log_prob;
  });
}

}  // namespace

void rescore(ScoresView posteriors, const DecodeSpec& spec, Read& read) {
  const ctc::Labels own = labels_of(read);
  if (!(read.raw_confidence > 0) || is_sure(*spec.prior, own, read.raw_confidence)) return;
  std::vector<ctc::Hypothesis> texts = likeliest(posteriors, spec, own, read.raw_confidence);
  move_odds(*spec.prior, texts);
  if (texts.front().labels != own) {
    read.characters = ctc::place_characters(posteriors, spec.blank, texts.front().labels);
  }
  read.raw_confidence = std::min(1.0, std::exp(texts.front().log_prob));
  texts.resize(std::min(texts.size(), static_cast<std::size_t>(spec.nbest)));
  read.alternatives = std::move(texts);
}

}  // namespace lprfast::pipeline
