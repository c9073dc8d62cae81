#include <algorithm>
#include <cmath>
#include <limits>

#include "ctc/ctc.hpp"

namespace lprfast::ctc {
namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

// The state of each step on the likeliest alignment: 2 i + 1 for label i, even for the blanks around the
// labels. Of equal ways the one that moves later.
std::vector<std::size_t> likeliest_states(ScoresView scores, int blank, const Labels& labels) {
  const std::size_t states = 2 * labels.size() + 1;
  const auto class_of = [&](std::size_t state) { return state % 2 ? labels[state / 2] : blank; };
  std::vector<double> best(states, kMinusInfinity), next(states);
  best[0] = 0;
  std::vector<std::size_t> from(scores.steps * states, 0);
  for (std::size_t step = 0; step < scores.steps; ++step) {
    for (std::size_t state = 0; state < states; ++state) {
      std::size_t origin = state;
      if (state > 0 && best[state - 1] > best[origin]) origin = state - 1;
      const bool skips = state > 2 && state % 2 && labels[state / 2] != labels[state / 2 - 1];
      if (skips && best[state - 2] > best[origin]) origin = state - 2;
      const auto label = static_cast<std::size_t>(class_of(state));
      next[state] = best[origin] + static_cast<double>(scores.row(step)[label]);
      from[step * states + state] = origin;
    }
    std::swap(best, next);
  }
  std::size_t state = states - 1;
  if (states > 1 && best[states - 2] > best[state]) --state;
  if (best[state] == kMinusInfinity) return {};
  std::vector<std::size_t> path(scores.steps);
  for (std::size_t step = scores.steps; step-- > 0; state = from[step * states + state]) path[step] = state;
  return path;
}

Character character_at(ScoresView scores, int blank, int label, std::size_t step) {
  const float* row = scores.row(step);
  int other = blank;
  for (int k = 0; k < static_cast<int>(scores.classes); ++k) {
    if (k != blank && k != label && (other == blank || row[k] > row[other])) other = k;
  }
  return {label, std::exp(row[label]), other, other == blank ? 0 : std::exp(row[other]),
          static_cast<int>(step)};
}

}  // namespace

std::vector<Character> place_characters(ScoresView scores, int blank, const Labels& labels) {
  const std::vector<std::size_t> path = likeliest_states(scores, blank, labels);
  std::vector<Character> characters;
  for (std::size_t step = 0; step < path.size(); ++step) {
    if (path[step] % 2 == 0) continue;
    const Character found = character_at(scores, blank, labels[path[step] / 2], step);
    const bool fresh = step == 0 || path[step - 1] != path[step];
    if (fresh) {
      characters.push_back(found);
    } else if (found.confidence > characters.back().confidence) {
      characters.back() = found;
    }
  }
  return characters;
}

}  // namespace lprfast::ctc
