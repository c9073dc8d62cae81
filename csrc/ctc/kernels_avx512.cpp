#include <immintrin.h>

#include <cstdint>

#include "ctc/kernels.hpp"

namespace lprfast::ctc {
namespace {

#include "ctc/kernels_body.hpp"

// The largest value first, then the first place that holds it.
std::size_t argmax(const float* row, std::size_t count) {
  const __m512 wanted = _mm512_set1_ps(maximum(row, count));
  for (std::size_t i = 0; i < count; i += 16) {
    const std::size_t left = count - i;
    const auto used = static_cast<__mmask16>(left >= 16 ? 0xFFFF : (1U << left) - 1);
    const __m512 values = _mm512_maskz_loadu_ps(used, row + i);
    const unsigned equal = _mm512_mask_cmp_ps_mask(used, values, wanted, _CMP_EQ_OQ);
    if (equal != 0) return i + static_cast<std::size_t>(__builtin_ctz(equal));
  }
  return 0;
}

}  // namespace

extern const Kernels kAvx512Kernels{argmax, maximum, sum_exp, exponentials};

}  // namespace lprfast::ctc
