#include <immintrin.h>

#include <cstdint>

#include "ctc/kernels.hpp"

namespace lprfast::ctc {
namespace {

struct Lanes {
  __m256 low;
  __m256 high;
};

inline Lanes load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
inline Lanes splat(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }

// The first `count` of eight, which may be none or more than eight.
inline __m256 load_some(const float* p, int count, __m256 fill) {
  const __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i used = _mm256_cmpgt_epi32(_mm256_set1_epi32(count), places);
  return _mm256_blendv_ps(fill, _mm256_maskload_ps(p, used), _mm256_castsi256_ps(used));
}
inline Lanes load_first(const float* p, std::size_t count, float fill) {
  const int used = static_cast<int>(count);
  const __m256 filled = _mm256_set1_ps(fill);
  return {load_some(p, used, filled), used > 8 ? load_some(p + 8, used - 8, filled) : filled};
}
inline Lanes operator+(Lanes a, Lanes b) {
  return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
inline Lanes operator-(Lanes a, Lanes b) {
  return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
inline Lanes operator*(Lanes a, Lanes b) {
  return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
inline Lanes larger(Lanes a, Lanes b) { return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)}; }
inline Lanes smaller(Lanes a, Lanes b) {
  return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
}
inline unsigned equal_mask(Lanes a, Lanes b) {
  const int low = _mm256_movemask_ps(_mm256_cmp_ps(a.low, b.low, _CMP_EQ_OQ));
  const int high = _mm256_movemask_ps(_mm256_cmp_ps(a.high, b.high, _CMP_EQ_OQ));
  return static_cast<unsigned>(low | high << 8);
}
inline __m256 zero_under(__m256 x, __m256 limit, __m256 value) {
  return _mm256_and_ps(_mm256_cmp_ps(x, limit, _CMP_NLT_UQ), value);
}
inline Lanes zero_under(Lanes x, float limit, Lanes value) {
  const __m256 limits = _mm256_set1_ps(limit);
  return {zero_under(x.low, limits, value.low), zero_under(x.high, limits, value.high)};
}
inline __m256 power_of_two(__m256 shifted) {
  const __m256i biased = _mm256_add_epi32(_mm256_castps_si256(shifted), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23));
}
inline Lanes power_of_two(Lanes shifted) { return {power_of_two(shifted.low), power_of_two(shifted.high)}; }
inline float reduce_max(Lanes a) {
  const __m256 eight = _mm256_max_ps(a.high, a.low);
  __m128 four = _mm_max_ps(_mm256_extractf128_ps(eight, 1), _mm256_castps256_ps128(eight));
  four = _mm_max_ps(_mm_movehl_ps(four, four), four);
  return _mm_cvtss_f32(_mm_max_ss(_mm_shuffle_ps(four, four, 1), four));
}
inline float reduce_sum(Lanes a) {
  const __m256 eight = _mm256_add_ps(a.high, a.low);
  __m128 four = _mm_add_ps(_mm256_extractf128_ps(eight, 1), _mm256_castps256_ps128(eight));
  four = _mm_add_ps(_mm_movehl_ps(four, four), four);
  return _mm_cvtss_f32(_mm_add_ss(_mm_shuffle_ps(four, four, 1), four));
}

#include "ctc/kernels_body.hpp"

}  // namespace

const Kernels kAvx2Kernels{argmax, maximum, sum_exp, exponentials};

}  // namespace lprfast::ctc
