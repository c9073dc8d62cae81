#include "ctc/kernels.hpp"

#include <cstdint>
#include <cstring>

namespace lprfast::ctc {
namespace {

struct Lanes {
  float v[16];
};

template <class Function>
inline Lanes for_lanes(const Function& function) {
  Lanes out;
  for (std::size_t i = 0; i < 16; ++i) out.v[i] = function(i);
  return out;
}

inline Lanes load(const float* p) {
  return for_lanes([p](std::size_t i) { return p[i]; });
}
inline Lanes splat(float x) {
  return for_lanes([x](std::size_t) { return x; });
}
inline Lanes load_first(const float* p, std::size_t count, float fill) {
  return for_lanes([=](std::size_t i) { return i < count ? p[i] : fill; });
}
inline Lanes operator+(const Lanes& a, const Lanes& b) {
  return for_lanes([&](std::size_t i) { return a.v[i] + b.v[i]; });
}
inline Lanes operator-(const Lanes& a, const Lanes& b) {
  return for_lanes([&](std::size_t i) { return a.v[i] - b.v[i]; });
}
inline Lanes operator*(const Lanes& a, const Lanes& b) {
  return for_lanes([&](std::size_t i) { return a.v[i] * b.v[i]; });
}
// The second where the two are equal or one is NaN, as the processors' own instruction has it.
inline Lanes larger(const Lanes& a, const Lanes& b) {
  return for_lanes([&](std::size_t i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
inline Lanes smaller(const Lanes& a, const Lanes& b) {
  return for_lanes([&](std::size_t i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
}
inline unsigned equal_mask(const Lanes& a, const Lanes& b) {
  unsigned mask = 0;
  for (std::size_t i = 0; i < 16; ++i) mask |= static_cast<unsigned>(a.v[i] == b.v[i]) << i;
  return mask;
}
inline Lanes zero_under(const Lanes& x, float limit, const Lanes& value) {
  return for_lanes([&](std::size_t i) { return x.v[i] < limit ? 0.0F : value.v[i]; });
}
inline Lanes power_of_two(const Lanes& shifted) {
  std::uint32_t bits[16];
  std::memcpy(bits, shifted.v, sizeof bits);
  for (std::uint32_t& lane : bits) lane = (lane + 127) << 23;
  Lanes out;
  std::memcpy(out.v, bits, sizeof bits);
  return out;
}
inline float reduce_max(Lanes a) {
  for (std::size_t width = 8; width > 0; width /= 2) {
    for (std::size_t i = 0; i < width; ++i) a.v[i] = a.v[i + width] > a.v[i] ? a.v[i + width] : a.v[i];
  }
  return a.v[0];
}
inline float reduce_sum(Lanes a) {
  for (std::size_t width = 8; width > 0; width /= 2) {
    for (std::size_t i = 0; i < width; ++i) a.v[i] = a.v[i + width] + a.v[i];
  }
  return a.v[0];
}

#include "ctc/kernels_body.hpp"

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
