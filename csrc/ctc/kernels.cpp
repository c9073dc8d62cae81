#include "ctc/kernels.hpp"

#include <cstdint>
#include <cstring>

namespace lprfast::ctc {
namespace {

constexpr std::size_t kWidth = 1;

struct Pack {
  float v;
};

inline Pack load(const float* p) { return {*p}; }
inline Pack splat(float x) { return {x}; }
inline Pack load_some(const float*, std::size_t, float fill) {
  return {fill};
}  // a pack of one is all or none
inline Pack operator+(Pack a, Pack b) { return {a.v + b.v}; }
inline Pack operator-(Pack a, Pack b) { return {a.v - b.v}; }
inline Pack operator*(Pack a, Pack b) { return {a.v * b.v}; }
// The second where one is NaN, as the processors' own instruction has it.
inline Pack larger(Pack a, Pack b) { return {a.v > b.v ? a.v : b.v}; }
inline Pack smaller(Pack a, Pack b) { return {a.v < b.v ? a.v : b.v}; }
inline Pack drop(Pack a, std::size_t start, std::size_t dropped) {
  return {dropped == start ? -__builtin_huge_valf() : a.v};
}
inline unsigned equal_mask(Pack a, Pack b) { return a.v == b.v; }
inline Pack power_of_two(Pack shifted) {
  std::uint32_t bits;
  std::memcpy(&bits, &shifted.v, sizeof bits);
  bits = (bits + 127) << 23;
  Pack out;
  std::memcpy(&out.v, &bits, sizeof bits);
  return out;
}
inline float reduce_max(Pack a) { return a.v; }
inline float reduce_sum(Pack a) { return a.v; }

#include "ctc/kernels_body.hpp"

}  // namespace

const Kernels kScalarKernels{best_classes<>, runners_up<>, maxima,     sum_exp,
                             subtract,       exponentials, confidences};

const Kernels& kernels(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::avx512) return kAvx512Kernels;
  if (isa == Isa::avx2) return kAvx2Kernels;
#endif
  (void)isa;
  return kScalarKernels;
}

}  // namespace lprfast::ctc
