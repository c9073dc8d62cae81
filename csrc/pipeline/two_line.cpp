#include "pipeline/two_line.hpp"

#include <algorithm>
#include <cmath>

namespace lprfast::pipeline {
namespace {

// Width over height. Of held-out synthetic two-line crops 99.5 % are under it; one-line plates that are (US,
// motorcycles, loose crops) cost two reads more only when they read empty.
constexpr double kLargestAspect = 2.6;

// Of the height, in each half: they overlap, because a cut through the feet of a line loses it and a strip of
// the other line does no harm. It also lets tilted lines through whole: those of the halves that the model
// was trained on are as tilted, and what a locator finds it makes level.
constexpr double kShare = 0.58;

constexpr std::int64_t kSmallestHalf = 4;  // rows; under it no character has a pixel of its own

// Of the other classes in the step between the lines: nothing to a text, and finite in float16.
constexpr double kRuledOut = -30;

bool shows_text(const LineJoin& join, const float* scores) {
  for (std::size_t step = 0; step < join.steps; ++step) {
    const float* row = scores + step * join.classes;
    if (std::max_element(row, row + join.classes) - row != join.blank) return true;
  }
  return false;
}

}  // namespace

bool may_have_two_lines(const ImageView& crop) {
  return crop.height >= 2 * kSmallestHalf &&
         static_cast<double>(crop.width) < kLargestAspect * static_cast<double>(crop.height);
}

Halves cut_halves(const ImageView& crop) {
  const auto rows = static_cast<std::int64_t>(std::lround(kShare * static_cast<double>(crop.height)));
  Halves halves{crop, crop};
  halves.top.height = halves.bottom.height = rows;
  halves.bottom.data += (crop.height - rows) * crop.row_stride;
  return halves;
}

void put_line(const LineJoin& join, const float* scores, int line, float* joined) {
  const std::size_t size = join.steps * join.classes;
  if (line == 1) {
    std::copy_n(scores, size, joined + size + join.classes);
    return;
  }
  std::copy_n(scores, size, joined);
  // Before the temperature: afterwards it is kRuledOut whatever the temperature is.
  std::fill_n(joined + size, join.classes, static_cast<float>(kRuledOut * join.temperature));
  joined[size + static_cast<std::size_t>(join.blank)] = 0;
}

bool both_lines_show_text(const LineJoin& join, const float* joined) {
  return shows_text(join, joined) && shows_text(join, joined + (join.steps + 1) * join.classes);
}

}  // namespace lprfast::pipeline
