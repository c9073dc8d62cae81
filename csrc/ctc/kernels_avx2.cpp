#include <immintrin.h>

#include <cstdint>

#include "ctc/kernels.hpp"

namespace lprfast::ctc {
namespace {

#include "ctc/kernels_body.hpp"

// The largest value first, then the first place that holds it.
std::size_t argmax(const float* row, std::size_t count) {
  const __m256 wanted = _mm256_set1_ps(maximum(row, count));
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const int equal = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(row + i), wanted, _CMP_EQ_OQ));
    if (equal != 0) return i + static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(equal)));
  }
  const float value = _mm256_cvtss_f32(wanted);
  while (i + 1 < count && row[i] != value) ++i;
  return i;
}

}  // namespace

extern const Kernels kAvx2Kernels{argmax, maximum, sum_exp, exponentials};

}  // namespace lprfast::ctc
