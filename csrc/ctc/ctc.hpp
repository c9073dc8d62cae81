// CTC decoding of one crop's scores [steps, classes]: greedy, prefix beam search, log P(text).
// Labels are class numbers; a text is a sequence of labels without the blank.
//
// Scores must have passed check_scores() or log_softmax(): no NaN, no +infinity, no row that is all
// -infinity. Every isa gives the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cpu.hpp"
#include "core/views.hpp"

namespace lprfast::ctc {

using Labels = std::vector<int>;

struct Character {
  int label = 0;
  float confidence = 0;            // posterior of this label at its peak step, 0-1
  int runner_up = 0;               // next best non-blank label at that step; the blank when there is no other
  float runner_up_confidence = 0;  // 0-1
  int step = 0;                    // time step of the peak
};

// Characters of many crops, column by column: those of crop n stand at offsets[n] .. offsets[n + 1].
struct CharacterColumns {
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> labels;
  std::vector<float> confidences;
  std::vector<std::int32_t> runners_up;
  std::vector<float> runner_up_confidences;
  std::vector<std::int32_t> steps;
};

struct Hypothesis {
  Labels labels;
  double log_prob = 0;  // natural logarithm of the probability that the beam gathered for these labels
};

struct BeamOptions {
  int beam_size = 10;
  int nbest = 1;
  // Symbols with a posterior under this are not tried at a step, but for the best one where the blank is
  // impossible; 0 is exact.
  double prune = 0;
};

// Logits to log-posteriors (log-softmax over classes); `out` may be `logits.data` itself. False when a row
// cannot be normalised (NaN, +infinity, or all -infinity): that row comes out as NaN, the others are good.
bool log_softmax(ScoresView logits, float* out, Isa isa = best_isa());

constexpr float kSumTolerance = 1e-3F;

// Throws std::invalid_argument that names the place as scores[crop, step, class] and says what is wrong. With
// logits = false each row's exp must sum to 1 within kSumTolerance.
void check_scores(ScoresView scores, bool logits, std::size_t crop, Isa isa = best_isa());

// All functions below take log-posteriors (each row's exp sums to 1). Of equal scores the first class, and of
// equal steps the first, wins.
void greedy(ScoresView log_posteriors, int blank, std::vector<Character>& out, Isa isa = best_isa());

// The same for many crops of one shape: reset(), add() each crop, finish(). Keeps its memory.
class GreedyBatch {
 public:
  void reset(std::size_t crops, std::size_t steps, std::size_t classes);
  // False when these cannot be log-posteriors: a NaN (then nothing is added), a step whose largest score is
  // outside what a sum of 1 allows, or a first step with another sum. The sums of the other steps are not
  // looked at: that is what check_scores() does, and it takes longer than all the rest.
  bool add(ScoresView log_posteriors, int blank, Isa isa = best_isa());
  const CharacterColumns& finish(Isa isa = best_isa());

 private:
  std::size_t find_peaks(int blank);

  CharacterColumns columns_;  // until finish() with room for all steps, and logarithms as confidences
  std::size_t count_ = 0;
  float least_ = 0;  // bounds of a step's largest score
  float most_ = 0;
  std::vector<std::int32_t> best_;
  std::vector<float> highest_;
};

std::vector<Hypothesis> beam_search(ScoresView log_posteriors, int blank, const BeamOptions& options,
                                    Isa isa = best_isa());

// log P(labels | scores) over all alignments, by the forward algorithm; -infinity when there is none. To
// score many texts on the same crop see scorer.hpp.
double score(ScoresView log_posteriors, int blank, const int* labels, std::size_t count);

// The characters of a text at their places on its likeliest alignment; none when it has no alignment. Labels
// are classes other than the blank.
std::vector<Character> place_characters(ScoresView log_posteriors, int blank, const Labels& labels);

}  // namespace lprfast::ctc
