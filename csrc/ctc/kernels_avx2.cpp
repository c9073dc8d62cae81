#include <immintrin.h>

#include <cstdint>

#include "ctc/kernels.hpp"

namespace lprfast::ctc {
namespace {

constexpr std::size_t kWidth = 8;

struct Pack {
  __m256 v;
};

inline Pack load(const float* p) { return {_mm256_loadu_ps(p)}; }
inline Pack splat(float x) { return {_mm256_set1_ps(x)}; }
inline Pack load_some(const float* p, std::size_t count, float fill) {
  const __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i used = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), places);
  const __m256 loaded = _mm256_maskload_ps(p, used);
  return {_mm256_blendv_ps(_mm256_set1_ps(fill), loaded, _mm256_castsi256_ps(used))};
}
inline Pack operator+(Pack a, Pack b) { return {_mm256_add_ps(a.v, b.v)}; }
inline Pack operator-(Pack a, Pack b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline Pack operator*(Pack a, Pack b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline Pack larger(Pack a, Pack b) { return {_mm256_max_ps(a.v, b.v)}; }
inline Pack smaller(Pack a, Pack b) { return {_mm256_min_ps(a.v, b.v)}; }
inline Pack drop(Pack a, std::size_t start, std::size_t dropped) {
  const __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i numbers = _mm256_add_epi32(places, _mm256_set1_epi32(static_cast<int>(start)));
  const __m256i at = _mm256_cmpeq_epi32(numbers, _mm256_set1_epi32(static_cast<int>(dropped)));
  return {_mm256_blendv_ps(a.v, _mm256_set1_ps(-__builtin_huge_valf()), _mm256_castsi256_ps(at))};
}
inline unsigned equal_mask(Pack a, Pack b) {
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)));
}
inline Pack power_of_two(Pack shifted) {
  const __m256i biased = _mm256_add_epi32(_mm256_castps_si256(shifted.v), _mm256_set1_epi32(127));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(biased, 23))};
}
inline float reduce_max(Pack a) {
  __m128 four = _mm_max_ps(_mm256_extractf128_ps(a.v, 1), _mm256_castps256_ps128(a.v));
  four = _mm_max_ps(_mm_movehl_ps(four, four), four);
  return _mm_cvtss_f32(_mm_max_ss(_mm_shuffle_ps(four, four, 1), four));
}
inline float reduce_sum(Pack a) {
  __m128 four = _mm_add_ps(_mm256_extractf128_ps(a.v, 1), _mm256_castps256_ps128(a.v));
  four = _mm_add_ps(_mm_movehl_ps(four, four), four);
  return _mm_cvtss_f32(_mm_add_ss(_mm_shuffle_ps(four, four, 1), four));
}

#include "ctc/kernels_body.hpp"

}  // namespace

const Kernels kAvx2Kernels{best_classes<>, runners_up<>, maxima,     sum_exp,
                           subtract,       exponentials, confidences};

}  // namespace lprfast::ctc
