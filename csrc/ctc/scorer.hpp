// log P(text) of many candidate texts on one crop: the exponentials are taken once, each text then costs
// steps * labels multiplications.
#pragma once

#include <cstddef>
#include <vector>

#include "core/cpu.hpp"
#include "core/views.hpp"

namespace lprfast::ctc {

class Scorer {
 public:
  Scorer() = default;
  // Copies what it needs from `log_posteriors`.
  Scorer(ScoresView log_posteriors, int blank, Isa isa = best_isa());

  // Starts anew with another crop, keeping the memory.
  void reset(ScoresView log_posteriors, int blank, Isa isa = best_isa());

  // log P(labels), natural logarithm; -infinity when the text has no alignment. Labels are classes other than
  // the blank. Not const: uses scratch memory, so one Scorer per thread.
  double score(const int* labels, std::size_t count);

  std::size_t steps() const { return steps_; }
  std::size_t classes() const { return classes_; }

 private:
  template <class Arithmetic, class Score>
  double forward(const Score* scores, const int* labels, std::size_t count);

  std::size_t steps_ = 0;
  std::size_t classes_ = 0;
  int blank_ = 0;
  std::vector<float> logs_;
  std::vector<double> posteriors_;
  std::vector<double> in_blank_;  // [count + 1]
  std::vector<double> in_label_;  // [count]
};

}  // namespace lprfast::ctc
