#include "ctc/kernels.hpp"

#include <cstdint>

namespace lprfast::ctc {
namespace {

#include "ctc/kernels_body.hpp"

std::size_t argmax(const float* row, std::size_t count) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < count; ++i) {
    if (row[i] > row[best]) best = i;
  }
  return best;
}

}  // namespace

const Kernels kScalarKernels{argmax, maximum, sum_exp, exponentials};

const Kernels& kernels(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::avx512) return kAvx512Kernels;
  if (isa == Isa::avx2) return kAvx2Kernels;
#endif
  (void)isa;
  return kScalarKernels;
}

}  // namespace lprfast::ctc
