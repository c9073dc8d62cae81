// The loops over classes, once per instruction set. kernels_body.hpp holds what they share, so that every
// path gives the same bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cpu.hpp"

namespace lprfast::ctc {

// Scores are [steps, classes], and there is at least one class.
struct Kernels {
  // highest[t]: the largest score of row t; best[t]: the class that has it, the first of equals. Returns
  // whether there is no NaN; where there is one, its row's values mean nothing.
  bool (*best_classes)(const float* scores, std::size_t steps, std::size_t classes, std::int32_t* best,
                       float* highest);
  // The same for rows steps[0] .. steps[count - 1], with classes `blank` and labels[i] taken for -infinity.
  // Where highest[i] comes out as -infinity best[i] means nothing. No NaN.
  void (*runners_up)(const float* scores, std::size_t classes, std::size_t blank, const std::int32_t* steps,
                     const std::int32_t* labels, std::size_t count, std::int32_t* best, float* highest);
  // maxima[t]: the largest score of row t; NaN are passed over.
  void (*maxima)(const float* scores, std::size_t steps, std::size_t classes, float* maxima);
  // sums[t]: sum of exp(row[k] - offsets[t]), to about 1e-6 of it; NaN when one of these makes no sense.
  void (*sum_exp)(const float* scores, std::size_t steps, std::size_t classes, const float* offsets,
                  float* sums);
  // out[t, k] = (scores[t, k] - first[t]) - second[t]; `out` may be `scores`.
  void (*subtract)(const float* scores, std::size_t steps, std::size_t classes, const float* first,
                   const float* second, float* out);
  // out[i] = exp(values[i]) to about 1 ulp; values are at most 709, and under -708 the result is 0.
  void (*exponentials)(const float* values, std::size_t count, double* out);
  // The same with the precision of a float, in place.
  void (*confidences)(float* values, std::size_t count);
};

const Kernels& kernels(Isa isa);

extern const Kernels kScalarKernels;
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;

}  // namespace lprfast::ctc
