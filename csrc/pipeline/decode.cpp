#include "pipeline/decode.hpp"

#include <algorithm>
#include <cmath>

#include "core/half.hpp"
#include "pipeline/rescore.hpp"

namespace lprfast::pipeline {
namespace {

constexpr int kSearchBeam = 10;

// Finite, or minus infinity (a class ruled out). Written so that the compiler can vectorise it.
bool usable(const float* scores, std::size_t count) {
  bool good = true;
  for (std::size_t i = 0; i < count; ++i) good &= scores[i] <= 3.0e38F;  // false for NaN and +infinity
  return good;
}

// False when a step cannot be normalised: every class ruled out.
bool to_log_posteriors(float* scores, ScoresView view, const DecodeSpec& spec) {
  if (spec.temperature != 1) {
    const float factor = static_cast<float>(1 / spec.temperature);
    for (std::size_t i = 0; i < view.steps * view.classes; ++i) scores[i] *= factor;
  }
  return (!spec.logits && spec.temperature == 1) || ctc::log_softmax(view, scores);
}

double probability_of(const std::vector<ctc::Character>& characters, ScoresView posteriors, int blank) {
  ctc::Labels labels;
  labels.reserve(characters.size());
  for (const ctc::Character& character : characters) labels.push_back(character.label);
  return std::min(1.0, std::exp(ctc::score(posteriors, blank, labels.data(), labels.size())));
}

}  // namespace

void decode(float* scores, std::size_t steps, std::size_t classes, const DecodeSpec& spec, Read& read) {
  const ScoresView posteriors{scores, steps, classes};
  if (!usable(scores, steps * classes) || !to_log_posteriors(scores, posteriors, spec)) {
    read.status = Status::error;
    read.error = "the model answered NaN or infinity for this crop";
    return;
  }
  read.log_posteriors.resize(steps * classes);
  float_to_half(scores, steps * classes, read.log_posteriors.data());
  if (spec.nbest > 0) {
    ctc::BeamOptions options;
    options.beam_size = std::max(kSearchBeam, spec.nbest);
    options.nbest = spec.nbest;
    read.alternatives = ctc::beam_search(posteriors, spec.blank, options);
  }
  ctc::greedy(posteriors, spec.blank, read.characters);
  if (read.characters.empty()) {
    read.status = Status::no_plate;
    return;
  }
  read.raw_confidence = probability_of(read.characters, posteriors, spec.blank);
  if (spec.prior) rescore(posteriors, spec, read);
  read.confidence = read.raw_confidence;
  read.status = Status::ok;
}

void settle(const DecodeSpec& spec, Read& read) {
  if (read.status != Status::ok) return;
  calibrate(spec.calibration, read);
  if (read.confidence < spec.min_confidence) {
    read.status = Status::unreadable;
    read.confidence = 0;
    read.raw_confidence = 0;
    read.lines = 0;
    read.characters.clear();
  }
}

}  // namespace lprfast::pipeline
