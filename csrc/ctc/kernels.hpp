// The loops over classes, once per instruction set. kernels_body.hpp holds what they share, so that every
// path gives the same bits.
#pragma once

#include <cstddef>

#include "core/cpu.hpp"

namespace lprfast::ctc {

struct Kernels {
  // Index of the largest value, the first of equals. No NaN, count >= 1.
  std::size_t (*argmax)(const float* row, std::size_t count);
  // The same with classes a and b taken for -infinity.
  std::size_t (*argmax_but)(const float* row, std::size_t count, std::size_t a, std::size_t b);
  // Largest value; NaN are passed over. count >= 1.
  float (*maximum)(const float* row, std::size_t count);
  // Sum of exp(row[i] - offset), about 1e-6 of it exact; NaN when a value or the offset makes no sense.
  float (*sum_exp)(const float* row, std::size_t count, float offset);
  // out[i] = exp(values[i]) to about 1 ulp; values are at most 709, and under -708 the result is 0.
  void (*exponentials)(const float* values, std::size_t count, double* out);
};

const Kernels& kernels(Isa isa);

extern const Kernels kScalarKernels;
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;

}  // namespace lprfast::ctc
