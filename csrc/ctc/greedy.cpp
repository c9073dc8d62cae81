#include <limits>

#include "ctc/ctc.hpp"
#include "ctc/kernels.hpp"

namespace lprfast::ctc {
namespace {

// The best class other than `blank` and `label`; the blank when there is none.
int best_other(const float* row, std::size_t classes, int blank, int label, const Kernels& kernel) {
  const int best = static_cast<int>(
      kernel.best_but(row, classes, static_cast<std::size_t>(blank), static_cast<std::size_t>(label)));
  if (best != blank && best != label && row[best] > -std::numeric_limits<float>::infinity()) return best;
  // All others are impossible, so the first of them it is.
  for (int k = 0; k < static_cast<int>(classes); ++k) {
    if (k != blank && k != label) return k;
  }
  return blank;
}

// What else there is to say of the characters, the exponentials of all of them at once.
void complete(ScoresView scores, int blank, std::vector<Character>& characters, const Kernels& kernel) {
  thread_local std::vector<float> logs;
  thread_local std::vector<double> posteriors;
  logs.clear();
  for (Character& character : characters) {
    const float* row = scores.row(static_cast<std::size_t>(character.step));
    character.runner_up = best_other(row, scores.classes, blank, character.label, kernel);
    logs.push_back(row[character.label]);
    logs.push_back(row[character.runner_up]);
  }
  posteriors.resize(logs.size());
  kernel.exponentials(logs.data(), logs.size(), posteriors.data());
  for (std::size_t i = 0; i < characters.size(); ++i) {
    Character& character = characters[i];
    character.confidence = static_cast<float>(posteriors[2 * i]);
    if (character.runner_up != blank)
      character.runner_up_confidence = static_cast<float>(posteriors[2 * i + 1]);
  }
}

}  // namespace

void greedy(ScoresView scores, int blank, std::vector<Character>& out, Isa isa) {
  const Kernels& kernel = kernels(isa);
  std::vector<std::uint32_t> best(scores.steps);
  kernel.best_classes(scores.data, scores.steps, scores.classes, best.data());
  out.clear();
  int previous = blank;
  float peak = 0;
  for (std::size_t t = 0; t < scores.steps; ++t) {
    const int label = static_cast<int>(best[t]);
    const float value = scores.row(t)[label];
    if (label != blank && (label != previous || value > peak)) {
      if (label != previous) out.push_back({label, 0, 0, 0, 0});
      out.back().step = static_cast<int>(t);
      peak = value;
    }
    previous = label;
  }
  complete(scores, blank, out, kernel);
}

}  // namespace lprfast::ctc
