// The two number systems of the sums over alignments. Probabilities as they are need no logarithm per cell
// but can underflow; their logarithms cannot. The callers work with the first and fall back to the second.
#pragma once

#include <cmath>
#include <limits>

namespace lprfast::ctc {

// What is under this has lost, or might have lost, digits to underflow. Every loss on the way is under
// 1e-320, and a loss never grows (alignments only get less probable), so sums above it are right to far
// beyond 1e-16.
constexpr double kSmallestTrusted = 1e-250;
constexpr double kLogSmallestTrusted = -575.0;  // a little above log(1e-250)

struct Linear {
  static constexpr bool underflows = true;
  static constexpr double zero = 0;
  static constexpr double one = 1;
  static double add(double a, double b) { return a + b; }
  static double multiply(double a, double b) { return a * b; }
  static double log(double value) { return std::log(value); }
  static double from_probability(double value) { return value; }
};

struct Logarithmic {
  static constexpr bool underflows = false;
  static constexpr double zero = -std::numeric_limits<double>::infinity();
  static constexpr double one = 0;
  static double add(double a, double b) {
    const double high = a > b ? a : b;
    const double low = a > b ? b : a;
    return low == zero ? high : high + std::log1p(std::exp(low - high));
  }
  static double multiply(double a, double b) { return a + b; }
  static double log(double value) { return value; }
  static double from_probability(double value) { return std::log(value); }
};

}  // namespace lprfast::ctc
