// The model's scores for one crop to a Read.
#pragma once

#include <memory>

#include "ctc/text_prior.hpp"
#include "pipeline/calibrate.hpp"
#include "pipeline/read.hpp"

namespace lprfast::pipeline {

struct DecodeSpec {
  int blank = 0;
  bool logits = false;                          // the model answers logits, not log-posteriors
  double temperature = 1;                       // log-posteriors are divided by it and normalised again
  Calibration calibration;                      // of the confidence
  double min_confidence = 0;                    // a text of less confidence, once calibrated, is unreadable
  int nbest = 0;                                // alternatives by beam search; 0: none are wanted
  std::shared_ptr<const ctc::TextPrior> prior;  // over texts; null: none
};

// Fills everything of `read` but size and summary; its confidence is the raw one. `scores` is overwritten
// with log-posteriors.
void decode(float* scores, std::size_t steps, std::size_t classes, const DecodeSpec& spec, Read& read);

// The last step, once size, summary and the whole text are known: calibrates, and gives up unlikely texts.
void settle(const DecodeSpec& spec, Read& read);

}  // namespace lprfast::pipeline
