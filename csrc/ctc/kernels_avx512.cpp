#include <immintrin.h>

#include <cstdint>

#include "ctc/kernels.hpp"

// GCC 12 sees uninitialised values inside its own immintrin.h.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

namespace lprfast::ctc {
namespace {

constexpr std::size_t kWidth = 16;

struct Pack {
  __m512 v;
};

inline Pack load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline Pack splat(float x) { return {_mm512_set1_ps(x)}; }
inline Pack load_some(const float* p, std::size_t count, float fill) {
  return {_mm512_mask_loadu_ps(_mm512_set1_ps(fill), static_cast<__mmask16>((1U << count) - 1), p)};
}
inline Pack operator+(Pack a, Pack b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Pack operator-(Pack a, Pack b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Pack operator*(Pack a, Pack b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Pack larger(Pack a, Pack b) { return {_mm512_max_ps(a.v, b.v)}; }
inline Pack smaller(Pack a, Pack b) { return {_mm512_min_ps(a.v, b.v)}; }
inline Pack drop(Pack a, std::size_t start, std::size_t dropped) {
  const __m512i places = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i numbers = _mm512_add_epi32(places, _mm512_set1_epi32(static_cast<int>(start)));
  const __mmask16 at = _mm512_cmpeq_epi32_mask(numbers, _mm512_set1_epi32(static_cast<int>(dropped)));
  return {_mm512_mask_mov_ps(a.v, at, _mm512_set1_ps(-__builtin_huge_valf()))};
}
inline unsigned equal_mask(Pack a, Pack b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ); }
inline Pack power_of_two(Pack shifted) {
  const __m512i biased = _mm512_add_epi32(_mm512_castps_si512(shifted.v), _mm512_set1_epi32(127));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(biased, 23))};
}
inline __m256 upper_half(__m512 v) { return _mm512_extractf32x8_ps(v, 1); }
inline float reduce_max(Pack a) {
  const __m256 eight = _mm256_max_ps(upper_half(a.v), _mm512_castps512_ps256(a.v));
  __m128 four = _mm_max_ps(_mm256_extractf128_ps(eight, 1), _mm256_castps256_ps128(eight));
  four = _mm_max_ps(_mm_movehl_ps(four, four), four);
  return _mm_cvtss_f32(_mm_max_ss(_mm_shuffle_ps(four, four, 1), four));
}
inline float reduce_sum(Pack a) {
  const __m256 eight = _mm256_add_ps(upper_half(a.v), _mm512_castps512_ps256(a.v));
  __m128 four = _mm_add_ps(_mm256_extractf128_ps(eight, 1), _mm256_castps256_ps128(eight));
  four = _mm_add_ps(_mm_movehl_ps(four, four), four);
  return _mm_cvtss_f32(_mm_add_ss(_mm_shuffle_ps(four, four, 1), four));
}

#include "ctc/kernels_body.hpp"

}  // namespace

const Kernels kAvx512Kernels{best_classes<>, runners_up<>, maxima,     sum_exp,
                             subtract,       exponentials, confidences};

}  // namespace lprfast::ctc
