// log P(text) of many texts on many crops. Sixteen crops go through the CTC forward recursion side by side:
// they share the text, so every step is the same few operations on sixteen numbers in a row.
#pragma once

#include <vector>

#include "vote/voter.hpp"

namespace lprfast::vote {

class TrackScorer {
 public:
  TrackScorer(const std::vector<Voter>& voters, const Options& options);

  // out[i] = max(log P(labels | crop i), floor), at most 0. Plain floats suffice: what is lost under 1e-30 is
  // under every floor. `probabilities`, where wanted: P(labels | crop i) itself.
  void score(const Labels& labels, double* out, double* probabilities = nullptr);

 private:
  static constexpr std::size_t kLanes = 16;

  const float* column(std::size_t block, int label);
  void forward(std::size_t block, const Labels& labels, float* probabilities);

  std::vector<ScoresView> crops_;
  std::size_t steps_ = 0;
  std::size_t classes_ = 0;  // and one that no crop has, for symbols from elsewhere
  int blank_ = 0;
  double floor_ = 0;
  std::vector<std::vector<float>> columns_;  // [blocks * classes][steps * kLanes], filled when first needed
  std::vector<float> alpha_;                 // [states * kLanes]
};

}  // namespace lprfast::vote
