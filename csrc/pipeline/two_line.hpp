// Plates of two lines, read as two halves by a model that reads one line. docs/model_contract.md tells the
// rule and the figures.
#pragma once

#include <cstddef>

#include "core/views.hpp"

namespace lprfast::pipeline {

// Top and bottom part of a crop, looking into its pixels.
struct Halves {
  ImageView top;
  ImageView bottom;
};

// By the shape of the crop alone.
bool may_have_two_lines(const ImageView& crop);

// For a crop that may have two lines.
Halves cut_halves(const ImageView& crop);

// The scores of two lines as those of one text: the top's steps, one step that is blank for sure, the
// bottom's. The step between keeps a symbol that ends one line and begins the other from being read once.
struct LineJoin {
  std::size_t steps;  // of one line
  std::size_t classes;
  int blank;
  double temperature;  // that the scores will be divided by
};

constexpr std::size_t joined_steps(std::size_t steps) { return 2 * steps + 1; }

// Writes the model's scores of line 0 or 1 to its place in `joined` [joined_steps, classes]; line 0 brings
// the step between. Two threads may put the two lines at once.
void put_line(const LineJoin& join, const float* scores, int line, float* joined);

bool both_lines_show_text(const LineJoin& join, const float* joined);

}  // namespace lprfast::pipeline
