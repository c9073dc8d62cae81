#include <cmath>
#include <limits>

#include "ctc/ctc.hpp"
#include "ctc/kernels.hpp"

namespace lprfast::ctc {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

// For when all classes but these two are impossible: the first of them, the blank when there is none.
int first_other(std::size_t classes, int blank, int label) {
  for (int k = 0; k < static_cast<int>(classes); ++k) {
    if (k != blank && k != label) return k;
  }
  return blank;
}

// Counts: of that the compiler makes vectors.
bool within(float least, float most, const std::vector<float>& highest) {
  int bad = 0;
  for (const float value : highest) bad += static_cast<int>(value < least) | static_cast<int>(value > most);
  return bad == 0;
}

bool first_sums_to_one(ScoresView scores, const Kernels& kernel) {
  const float offset = 0;
  float sum = 1;
  if (scores.steps > 0) kernel.sum_exp(scores.data, 1, scores.classes, &offset, &sum);
  return std::fabs(sum - 1.0F) <= kSumTolerance;
}

void resize(CharacterColumns& columns, std::size_t count) {
  columns.labels.resize(count);
  columns.confidences.resize(count);
  columns.runners_up.resize(count);
  columns.runner_up_confidences.resize(count);
  columns.steps.resize(count);
}

}  // namespace

void GreedyBatch::reset(std::size_t crops, std::size_t steps, std::size_t classes) {
  resize(columns_, crops * steps);
  columns_.offsets.assign(1, 0);
  columns_.offsets.reserve(crops + 1);
  count_ = 0;
  best_.resize(steps);
  highest_.resize(steps);
  // A little wider than kSumTolerance: what is refused here is refused by check_scores() too.
  constexpr double kTolerance = 1.01 * static_cast<double>(kSumTolerance);
  least_ = static_cast<float>(std::log((1 - kTolerance) / static_cast<double>(classes)));
  most_ = static_cast<float>(std::log1p(kTolerance));
}

// Writes labels, steps and confidences of the crop whose best classes are known; returns how many.
std::size_t GreedyBatch::find_peaks(int blank) {
  std::int32_t* labels = columns_.labels.data() + count_;
  std::int32_t* steps = columns_.steps.data() + count_;
  float* logs = columns_.confidences.data() + count_;
  std::size_t found = 0;
  std::int32_t previous = blank;
  float peak = 0;
  for (std::size_t t = 0; t < best_.size(); ++t) {
    const std::int32_t label = best_[t];
    const float value = highest_[t];
    const bool symbol = label != blank;
    if ((label == previous) & symbol) {
      if (value <= peak) continue;
      --found;
    }
    // A blank is written too, and overwritten by what comes next: no branch on what cannot be foretold.
    labels[found] = label;
    steps[found] = static_cast<std::int32_t>(t);
    logs[found] = value;
    peak = value;
    previous = label;
    found += static_cast<std::size_t>(symbol);
  }
  return found;
}

bool GreedyBatch::add(ScoresView scores, int blank, Isa isa) {
  const Kernels& kernel = kernels(isa);
  if (!kernel.best_classes(scores.data, scores.steps, scores.classes, best_.data(), highest_.data())) {
    return false;
  }
  const std::size_t found = find_peaks(blank);
  const std::int32_t* labels = columns_.labels.data() + count_;
  std::int32_t* others = columns_.runners_up.data() + count_;
  float* logs = columns_.runner_up_confidences.data() + count_;
  kernel.runners_up(scores.data, scores.classes, static_cast<std::size_t>(blank),
                    columns_.steps.data() + count_, labels, found, others, logs);
  for (std::size_t i = 0; i < found; ++i) {
    if (logs[i] == kMinusInfinity) others[i] = first_other(scores.classes, blank, labels[i]);
  }
  count_ += found;
  columns_.offsets.push_back(static_cast<std::int64_t>(count_));
  return within(least_, most_, highest_) && first_sums_to_one(scores, kernel);
}

const CharacterColumns& GreedyBatch::finish(Isa isa) {
  const Kernels& kernel = kernels(isa);
  kernel.confidences(columns_.confidences.data(), count_);
  kernel.confidences(columns_.runner_up_confidences.data(), count_);
  resize(columns_, count_);
  return columns_;
}

void greedy(ScoresView scores, int blank, std::vector<Character>& out, Isa isa) {
  thread_local GreedyBatch batch;
  batch.reset(1, scores.steps, scores.classes);
  batch.add(scores, blank, isa);
  const CharacterColumns& columns = batch.finish(isa);
  out.resize(columns.labels.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = {columns.labels[i], columns.confidences[i], columns.runners_up[i],
              columns.runner_up_confidences[i], columns.steps[i]};
  }
}

}  // namespace lprfast::ctc
