// AVX-512 (BW, VL, VBMI): the same sums as kernels_scalar.cpp, 16 or 32 at a time.
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the undefined operands inside its own intrinsics for mistakes (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include "image/kernels.hpp"

namespace lprfast::image {
namespace {

// One pair of taps as the 32 bits that multiply-add wants.
std::int32_t pair_bits(const std::int16_t* taps) {
  return static_cast<std::int32_t>(static_cast<std::uint16_t>(taps[0]) |
                                   static_cast<std::uint32_t>(static_cast<std::uint16_t>(taps[1])) << 16);
}

void to_gray(const std::uint8_t* pixels, std::int64_t count, int pixel_bytes, const std::int16_t* weights,
             std::uint8_t* gray) {
  // Pixel i of 16 goes to 32-bit lane i: channels 0 and 1 in one vector, channel 2 in the other.
  const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const __m512i first_byte = _mm512_mullo_epi32(lanes, _mm512_set1_epi32(pixel_bytes * 0x00010001));
  const __m512i index01 = _mm512_add_epi32(first_byte, _mm512_set1_epi32(0x00010000));
  const __m512i index2 = _mm512_add_epi32(first_byte, _mm512_set1_epi32(2));
  const std::int16_t last_pair[2] = {weights[2], 0};
  const __m512i weights01 = _mm512_set1_epi32(pair_bits(weights));
  const __m512i weights2 = _mm512_set1_epi32(pair_bits(last_pair));
  const __m512i half = _mm512_set1_epi32(1 << 13);
  for (std::int64_t i = 0; i < count; i += 16) {
    const int n = count - i < 16 ? static_cast<int>(count - i) : 16;
    const int bytes = (n - 1) * pixel_bytes + 3;  // the fourth byte of the last pixel may not be ours to read
    const __m512i block = _mm512_maskz_loadu_epi8(~0ULL >> (64 - bytes), pixels + i * pixel_bytes);
    const __m512i ch01 = _mm512_maskz_permutexvar_epi8(0x5555555555555555ULL, index01, block);
    const __m512i ch2 = _mm512_maskz_permutexvar_epi8(0x1111111111111111ULL, index2, block);
    const __m512i sum =
        _mm512_add_epi32(_mm512_madd_epi16(ch01, weights01), _mm512_madd_epi16(ch2, weights2));
    const __m512i level = _mm512_srli_epi32(_mm512_add_epi32(sum, half), 14);
    _mm_mask_storeu_epi8(gray + i, static_cast<__mmask16>((1 << n) - 1), _mm512_cvtepi32_epi8(level));
  }
}

struct RowPair {
  const std::uint8_t* a;
  const std::uint8_t* b;
};

// Past the last row only zero taps remain; any row will do for them.
RowPair row_pair(const GrayPlane& plane, const Axis& axis, int y, int j) {
  const int row = axis.start[y] + 2 * j;
  const int last = plane.height - 1;
  return {plane.data + (row < last ? row : last) * plane.stride,
          plane.data + (row + 1 < last ? row + 1 : last) * plane.stride};
}

__m512i pair_taps(const Axis& axis, int y, int j) {
  return _mm512_set1_epi32(pair_bits(axis.taps + (static_cast<std::ptrdiff_t>(j) * axis.out + y) * 2));
}

// 32 columns: the unpacking splits them over two sums, and packing puts them back in order.
struct ColumnSums {
  __m512i low;
  __m512i high;

  void add(RowPair rows, int x, __m512i taps) {
    const __m512i a = _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows.a + x)));
    const __m512i b = _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows.b + x)));
    low = _mm512_add_epi32(low, _mm512_madd_epi16(_mm512_unpacklo_epi16(a, b), taps));
    high = _mm512_add_epi32(high, _mm512_madd_epi16(_mm512_unpackhi_epi16(a, b), taps));
  }
  void store(std::int16_t* out, __m128i shift) const {
    _mm512_storeu_si512(out, _mm512_packs_epi32(_mm512_sra_epi32(low, shift), _mm512_sra_epi32(high, shift)));
  }
};

// Blocks of 32 columns; the last one overlaps its neighbour rather than reading past the row.
int block_start(int x, int width, int block) {
  return x + block <= width ? x : width < block ? 0 : width - block;
}

template <int kPairs>
void vertical_few(const GrayPlane& plane, const Axis& axis, const MiddleRows& middle) {
  const __m512i bias = _mm512_set1_epi32(-(128 << axis.bits) + (1 << (axis.bits - 8)));
  const __m128i shift = _mm_cvtsi32_si128(axis.bits - 7);
  for (int y = 0; y < axis.out; ++y) {
    RowPair rows[kPairs];
    __m512i taps[kPairs];
    for (int j = 0; j < kPairs; ++j) {
      rows[j] = row_pair(plane, axis, y, j);
      taps[j] = pair_taps(axis, y, j);
    }
    std::int16_t* out = middle.data + y * middle.stride;
    for (int x = 0; x < plane.width; x += 32) {
      const int at = block_start(x, plane.width, 32);
      ColumnSums sums = {bias, bias};
      for (int j = 0; j < kPairs; ++j) sums.add(rows[j], at, taps[j]);
      sums.store(out + at, shift);
    }
  }
}

void vertical_many(const GrayPlane& plane, const Axis& axis, const MiddleRows& middle) {
  const __m512i bias = _mm512_set1_epi32(-(128 << axis.bits) + (1 << (axis.bits - 8)));
  const __m128i shift = _mm_cvtsi32_si128(axis.bits - 7);
  for (int y = 0; y < axis.out; ++y) {
    std::int16_t* out = middle.data + y * middle.stride;
    for (int x = 0; x < plane.width; x += 32) {
      const int at = block_start(x, plane.width, 32);
      ColumnSums sums = {bias, bias};
      for (int j = 0; j < axis.pairs; ++j) sums.add(row_pair(plane, axis, y, j), at, pair_taps(axis, y, j));
      sums.store(out + at, shift);
    }
  }
}

void vertical(const GrayPlane& plane, const Axis& axis, const MiddleRows& middle) {
  switch (axis.pairs) {
    case 1:
      return vertical_few<1>(plane, axis, middle);
    case 2:
      return vertical_few<2>(plane, axis, middle);
    case 3:
      return vertical_few<3>(plane, axis, middle);
    case 4:
      return vertical_few<4>(plane, axis, middle);
    default:
      return vertical_many(plane, axis, middle);
  }
}

// Clamp, normalise and store 16 levels.
class Writer {
 public:
  Writer(const Axis& axis, const Target& target)
      : target_(target),
        shift_(_mm_cvtsi32_si128(axis.bits + 7)),
        half_(_mm512_set1_epi32(1 << (axis.bits + 6))),
        low_(_mm512_set1_epi32(-(128 << (axis.bits + 7)))),
        high_(_mm512_set1_epi32(127 << (axis.bits + 7))),
        factor_(_mm512_set1_ps(target.factor)),
        offset_(_mm512_set1_ps(target.offset)) {}

  void write(__m512i level, int y, int x) const {
    level = _mm512_min_epi32(_mm512_max_epi32(level, low_), high_);
    const __m512 product = _mm512_mul_ps(_mm512_cvtepi32_ps(level), factor_);
    _mm512_storeu_ps(target_.out + y * target_.stride + x, _mm512_add_ps(product, offset_));
    if (target_.gray == nullptr) return;
    const __m512i rounded = _mm512_sra_epi32(_mm512_add_epi32(level, half_), shift_);
    const __m128i gray = _mm_add_epi8(_mm512_cvtepi32_epi8(rounded), _mm_set1_epi8(-128));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(target_.gray + y * target_.gray_stride + x), gray);
  }

 private:
  const Target target_;
  __m128i shift_;
  __m512i half_, low_, high_;
  __m512 factor_, offset_;
};

__m512i load_taps(const Axis& axis, int j, int x) {
  return _mm512_loadu_si512(axis.taps + (static_cast<std::ptrdiff_t>(j) * axis.out + x) * 2);
}

// 16 outputs whose inputs lie within 32 (or, kWide, 64) values: one permutation fetches each pair of inputs.
template <int kPairs, bool kWide>
void horizontal_group(const MiddleRows& middle, const Axis& axis, int x, const Writer& shared) {
  const Writer writer = shared;  // a local copy stays in registers while the output is written
  const __m512i start = _mm512_loadu_si512(axis.start + x);
  const __m512i first = _mm512_sub_epi32(start, _mm512_set1_epi32(axis.start[x]));
  const __m512i pair = _mm512_mullo_epi32(first, _mm512_set1_epi32(0x00010001));
  __m512i index[kPairs], taps[kPairs];
  for (int j = 0; j < kPairs; ++j) {
    index[j] = _mm512_add_epi32(pair, _mm512_set1_epi32(0x00010000 + 2 * j * 0x00010001));
    taps[j] = load_taps(axis, j, x);
  }
  const std::int16_t* row = middle.data + axis.start[x];
  for (int y = 0; y < middle.height; ++y, row += middle.stride) {
    const __m512i low = _mm512_loadu_si512(row);
    const __m512i high = kWide ? _mm512_loadu_si512(row + 32) : low;
    __m512i level = _mm512_setzero_si512();
    for (int j = 0; j < kPairs; ++j) {
      const __m512i inputs =
          kWide ? _mm512_permutex2var_epi16(low, index[j], high) : _mm512_permutexvar_epi16(index[j], low);
      level = _mm512_add_epi32(level, _mm512_madd_epi16(inputs, taps[j]));
    }
    writer.write(level, y, x);
  }
}

// Any reach: each pair of inputs is one gathered 32-bit value.
void gather_group(const MiddleRows& middle, const Axis& axis, int x, const Writer& shared) {
  const Writer writer = shared;  // a local copy stays in registers while the output is written
  const __m512i start = _mm512_loadu_si512(axis.start + x);
  for (int y = 0; y < middle.height; ++y) {
    const std::int16_t* row = middle.data + y * middle.stride;
    __m512i level = _mm512_setzero_si512();
    for (int j = 0; j < axis.pairs; ++j) {
      const __m512i inputs = _mm512_i32gather_epi32(start, row + 2 * j, 2);
      level = _mm512_add_epi32(level, _mm512_madd_epi16(inputs, load_taps(axis, j, x)));
    }
    writer.write(level, y, x);
  }
}

using Group = void (*)(const MiddleRows&, const Axis&, int, const Writer&);

template <bool kWide>
Group permuting_group(int pairs) {
  constexpr Group groups[] = {horizontal_group<1, kWide>, horizontal_group<2, kWide>,
                              horizontal_group<3, kWide>, horizontal_group<4, kWide>,
                              horizontal_group<5, kWide>, horizontal_group<6, kWide>,
                              horizontal_group<7, kWide>, horizontal_group<8, kWide>};
  return pairs <= 8 ? groups[pairs - 1] : gather_group;
}

void horizontal(const MiddleRows& middle, const Axis& axis, const Target& target) {
  if (axis.out < 16) return kScalarKernels.horizontal(middle, axis, target);
  const int reach = axis.step16 + 2 * axis.pairs;
  const Group group = reach <= 32   ? permuting_group<false>(axis.pairs)
                      : reach <= 64 ? permuting_group<true>(axis.pairs)
                                    : gather_group;
  const Writer writer(axis, target);
  for (int x = 0; x < axis.out; x += 16) group(middle, axis, block_start(x, axis.out, 16), writer);
}

__m512i load_words(const std::uint8_t* bytes) {
  return _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)));
}

// Bits of the block's columns x .. x + 31 that lie in [first, last).
__mmask32 columns_between(int x, int first, int last) {
  std::uint32_t mask = ~0U;
  if (last - x < 32) mask = last > x ? (1U << (last - x)) - 1 : 0;
  if (first > x) mask &= first - x < 32 ? ~0U << (first - x) : 0;
  return mask;
}

struct BandSums {
  __m512i levels, squares, laplacian, laplacian_squares;
  std::int64_t clipped;

  void add_pixels(const std::uint8_t* row, __m512i pixel, __mmask32 valid) {
    const __m256i bytes = _mm256_maskz_loadu_epi8(valid, row);
    levels = _mm512_add_epi64(levels, _mm512_zextsi256_si512(_mm256_sad_epu8(bytes, _mm256_setzero_si256())));
    squares = _mm512_add_epi32(squares, _mm512_madd_epi16(pixel, pixel));
    // 0 and 255 are the two levels that are at most 1 after adding 1.
    const __m256i next = _mm256_add_epi8(bytes, _mm256_set1_epi8(1));
    clipped += _mm_popcnt_u32(_mm256_mask_cmple_epu8_mask(valid, next, _mm256_set1_epi8(1)));
  }
  void add_laplacian(__m512i above, __m512i pixel, __m512i below, const std::uint8_t* row, __mmask32 inner) {
    const __m512i sides = _mm512_add_epi16(load_words(row - 1), load_words(row + 1));
    const __m512i around = _mm512_add_epi16(sides, _mm512_add_epi16(above, below));
    const __m512i value = _mm512_maskz_sub_epi16(inner, _mm512_slli_epi16(pixel, 2), around);
    laplacian = _mm512_add_epi32(laplacian, _mm512_madd_epi16(value, _mm512_set1_epi16(1)));
    laplacian_squares = _mm512_add_epi32(laplacian_squares, _mm512_madd_epi16(value, value));
  }
};

std::int64_t add_up(__m512i values) {
  std::int32_t lanes[16];
  _mm512_storeu_si512(lanes, values);
  std::int64_t sum = 0;
  for (const std::int32_t lane : lanes) sum += lane;
  return sum;
}

// 32 columns, downwards, so that each row is widened once.
void measure_columns(const Band& band, int x, std::uint16_t* column_sums, BandSums& sums) {
  const __mmask32 valid = columns_between(x, 0, band.width);
  const __mmask32 inner = columns_between(x, 1, band.width - 1);
  const std::uint8_t* row = band.data + band.first * band.stride + x;
  __m512i column = _mm512_loadu_si512(column_sums + x);
  __m512i above = band.first > 0 ? load_words(row - band.stride) : _mm512_setzero_si512();
  __m512i pixel = _mm512_maskz_mov_epi16(valid, load_words(row));
  for (int y = band.first; y < band.last; ++y, row += band.stride) {
    const bool last_row = y + 1 == band.height;
    const __m512i below =
        last_row ? _mm512_setzero_si512() : _mm512_maskz_mov_epi16(valid, load_words(row + band.stride));
    column = _mm512_add_epi16(column, pixel);
    sums.add_pixels(row, pixel, valid);
    if (y > 0 && !last_row) sums.add_laplacian(above, pixel, below, row, inner);
    above = pixel;
    pixel = below;
  }
  _mm512_storeu_si512(column_sums + x, column);
}

void measure(const Band& band, std::uint16_t* column_sums, Sums* sums) {
  const __m512i zero = _mm512_setzero_si512();
  BandSums band_sums = {zero, zero, zero, zero, 0};
  for (int x = 0; x < band.width; x += 32) measure_columns(band, x, column_sums, band_sums);
  sums->levels += add_up(band_sums.levels);
  sums->squares += add_up(band_sums.squares);
  sums->clipped += band_sums.clipped;
  sums->laplacian += add_up(band_sums.laplacian);
  sums->laplacian_squares += add_up(band_sums.laplacian_squares);
}

}  // namespace

const Kernels kAvx512Kernels = {to_gray, vertical, horizontal, measure};

}  // namespace lprfast::image
