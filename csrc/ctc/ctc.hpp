// CTC decoding of one crop's scores [steps, classes]: greedy, prefix beam search, log P(text).
// Labels are class numbers; a text is a sequence of labels without the blank.
#pragma once

#include <cstddef>
#include <vector>

#include "core/views.hpp"

namespace lprfast::ctc {

using Labels = std::vector<int>;

struct Character {
  int label = 0;
  float confidence = 0;            // posterior of this label at its peak step, 0-1
  int runner_up = 0;               // next best non-blank label at that step
  float runner_up_confidence = 0;  // 0-1
  int step = 0;                    // time step of the peak
};

struct Hypothesis {
  Labels labels;
  double log_prob = 0;  // log P(labels | scores), natural logarithm
};

struct BeamOptions {
  int beam_size = 10;
  int nbest = 1;
  double prune = 0;  // symbols with posterior under this are not tried at a step; 0 is exact
};

// Logits to log-posteriors (log-softmax over classes); `out` may be `logits.data` itself.
void log_softmax(ScoresView logits, float* out);

// All functions below take log-posteriors (each row's exp sums to 1).
void greedy(ScoresView log_posteriors, int blank, std::vector<Character>& out);
std::vector<Hypothesis> beam_search(ScoresView log_posteriors, int blank, const BeamOptions& options);

// log P(labels | scores) over all alignments, by the forward algorithm; -infinity when there is none.
double score(ScoresView log_posteriors, int blank, const int* labels, std::size_t count);

}  // namespace lprfast::ctc
