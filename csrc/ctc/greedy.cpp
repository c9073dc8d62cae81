#include <cmath>
#include <limits>

#include "ctc/ctc.hpp"
#include "ctc/kernels.hpp"

namespace lprfast::ctc {
namespace {

// The best class other than `blank` and `label`; the blank when there is none.
int best_other(const float* row, std::size_t classes, int blank, int label, std::vector<float>& scratch,
               const Kernels& kernel) {
  scratch.assign(row, row + classes);
  scratch[static_cast<std::size_t>(blank)] = -std::numeric_limits<float>::infinity();
  scratch[static_cast<std::size_t>(label)] = -std::numeric_limits<float>::infinity();
  const std::size_t best = kernel.argmax(scratch.data(), classes);
  if (scratch[best] > -std::numeric_limits<float>::infinity()) return static_cast<int>(best);
  for (int k = 0; k < static_cast<int>(classes); ++k) {
    if (k != blank && k != label) return k;
  }
  return blank;
}

}  // namespace

void greedy(ScoresView scores, int blank, std::vector<Character>& out, Isa isa) {
  const Kernels& kernel = kernels(isa);
  out.clear();
  int previous = blank;
  float peak = 0;
  for (std::size_t t = 0; t < scores.steps; ++t) {
    const float* row = scores.row(t);
    const int label = static_cast<int>(kernel.argmax(row, scores.classes));
    const float value = row[label];
    if (label != blank && (label != previous || value > peak)) {
      if (label != previous) out.push_back({label, 0, 0, 0, 0});
      out.back().step = static_cast<int>(t);
      peak = value;
    }
    previous = label;
  }
  std::vector<float> scratch;
  for (Character& character : out) {
    const float* row = scores.row(static_cast<std::size_t>(character.step));
    character.confidence = std::exp(row[character.label]);
    character.runner_up = best_other(row, scores.classes, blank, character.label, scratch, kernel);
    character.runner_up_confidence = character.runner_up == blank ? 0 : std::exp(row[character.runner_up]);
  }
}

}  // namespace lprfast::ctc
