// AVX2: the same sums as kernels_scalar.cpp, 8 or 16 at a time.
#include <immintrin.h>

#include "image/kernels.hpp"

namespace lprfast::image {
namespace {

__m128i load16(const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }
__m256i load32(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
void store32(void* to, __m256i value) { _mm256_storeu_si256(static_cast<__m256i*>(to), value); }

__m256i load_lanes(const void* low, const void* high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(load16(low)), load16(high), 1);
}

__m256i load_words(const std::uint8_t* bytes) { return _mm256_cvtepu8_epi16(load16(bytes)); }

// One pair of taps as the 32 bits that multiply-add wants.
std::int32_t pair_bits(const std::int16_t* taps) {
  return static_cast<std::int32_t>(static_cast<std::uint16_t>(taps[0]) |
                                   static_cast<std::uint32_t>(static_cast<std::uint16_t>(taps[1])) << 16);
}

// Eight values of 0-255 to eight bytes.
__m128i to_bytes(__m256i values) {
  const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
  return _mm_packus_epi16(words, words);
}

void to_gray(const std::uint8_t* pixels, std::int64_t count, int pixel_bytes, const std::int16_t* weights,
             std::uint8_t* gray) {
  // Pixel i of 4 goes to 32-bit lane i: channels 0 and 1 in one vector, channel 2 in the other.
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 0, 1, 2, 3);
  const __m256i first = _mm256_mullo_epi32(lanes, _mm256_set1_epi32(pixel_bytes * 0x00010001));
  // A set top bit makes the shuffle write 0.
  const __m256i index01 = _mm256_add_epi32(first, _mm256_set1_epi32(static_cast<int>(0x80018000U)));
  const __m256i index2 = _mm256_add_epi32(first, _mm256_set1_epi32(static_cast<int>(0x80808002U)));
  const std::int16_t last_pair[2] = {weights[2], 0};
  const __m256i weights01 = _mm256_set1_epi32(pair_bits(weights));
  const __m256i weights2 = _mm256_set1_epi32(pair_bits(last_pair));
  std::int64_t i = 0;
  for (; i + 10 <= count; i += 8) {  // 8 pixels, but the loads may reach into two more
    const std::uint8_t* from = pixels + i * pixel_bytes;
    const __m256i block = load_lanes(from, from + 4 * pixel_bytes);
    const __m256i sum01 = _mm256_madd_epi16(_mm256_shuffle_epi8(block, index01), weights01);
    const __m256i sum2 = _mm256_madd_epi16(_mm256_shuffle_epi8(block, index2), weights2);
    const __m256i sum = _mm256_add_epi32(_mm256_add_epi32(sum01, sum2), _mm256_set1_epi32(1 << 13));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(gray + i), to_bytes(_mm256_srli_epi32(sum, 14)));
  }
  kScalarKernels.to_gray(pixels + i * pixel_bytes, count - i, pixel_bytes, weights, gray + i);
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

__m256i pair_taps(const Axis& axis, int y, int j) {
  return _mm256_set1_epi32(pair_bits(axis.taps + (static_cast<std::ptrdiff_t>(j) * axis.out + y) * 2));
}

// 16 columns: the unpacking splits them over two sums, and packing puts them back in order.
struct ColumnSums {
  __m256i low;
  __m256i high;

  void add(RowPair rows, int x, __m256i taps) {
    const __m256i a = load_words(rows.a + x);
    const __m256i b = load_words(rows.b + x);
    low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), taps));
    high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), taps));
  }
  void store(std::int16_t* out, __m128i shift) const {
    store32(out, _mm256_packs_epi32(_mm256_sra_epi32(low, shift), _mm256_sra_epi32(high, shift)));
  }
};

// Blocks of columns; the last one overlaps its neighbour rather than reading past the row.
int block_start(int x, int width, int block) {
  return x + block <= width ? x : width < block ? 0 : width - block;
}

template <int kPairs>
void vertical_few(const GrayPlane& plane, const Axis& axis, const MiddleRows& middle) {
  const __m256i bias = _mm256_set1_epi32(-(128 << axis.bits) + (1 << (axis.bits - 8)));
  const __m128i shift = _mm_cvtsi32_si128(axis.bits - 7);
  for (int y = 0; y < axis.out; ++y) {
    RowPair rows[kPairs];
    __m256i taps[kPairs];
    for (int j = 0; j < kPairs; ++j) {
      rows[j] = row_pair(plane, axis, y, j);
      taps[j] = pair_taps(axis, y, j);
    }
    std::int16_t* out = middle.data + y * middle.stride;
    for (int x = 0; x < plane.width; x += 16) {
      const int at = block_start(x, plane.width, 16);
      ColumnSums sums = {bias, bias};
      for (int j = 0; j < kPairs; ++j) sums.add(rows[j], at, taps[j]);
      sums.store(out + at, shift);
    }
  }
}

void vertical_many(const GrayPlane& plane, const Axis& axis, const MiddleRows& middle) {
  const __m256i bias = _mm256_set1_epi32(-(128 << axis.bits) + (1 << (axis.bits - 8)));
  const __m128i shift = _mm_cvtsi32_si128(axis.bits - 7);
  for (int y = 0; y < axis.out; ++y) {
    std::int16_t* out = middle.data + y * middle.stride;
    for (int x = 0; x < plane.width; x += 16) {
      const int at = block_start(x, plane.width, 16);
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

// Clamp, normalise and store 8 levels.
class Writer {
 public:
  Writer(const Axis& axis, const Target& target)
      : target_(target),
        shift_(_mm_cvtsi32_si128(axis.bits + 7)),
        half_(_mm256_set1_epi32(1 << (axis.bits + 6))),
        low_(_mm256_set1_epi32(-(128 << (axis.bits + 7)))),
        high_(_mm256_set1_epi32(127 << (axis.bits + 7))),
        factor_(_mm256_set1_ps(target.factor)),
        offset_(_mm256_set1_ps(target.offset)) {}

  void write(__m256i level, int y, int x) const {
    level = _mm256_min_epi32(_mm256_max_epi32(level, low_), high_);
    const __m256 product = _mm256_mul_ps(_mm256_cvtepi32_ps(level), factor_);
    _mm256_storeu_ps(target_.out + y * target_.stride + x, _mm256_add_ps(product, offset_));
    if (target_.gray == nullptr) return;
    const __m256i rounded = _mm256_sra_epi32(_mm256_add_epi32(level, half_), shift_);
    const __m128i gray = to_bytes(_mm256_add_epi32(rounded, _mm256_set1_epi32(128)));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(target_.gray + y * target_.gray_stride + x), gray);
  }

 private:
  const Target target_;
  __m128i shift_;
  __m256i half_, low_, high_;
  __m256 factor_, offset_;
};

__m256i load_taps(const Axis& axis, int j, int x) {
  return load32(axis.taps + (static_cast<std::ptrdiff_t>(j) * axis.out + x) * 2);
}

// 8 outputs in two lanes of 4; each lane's inputs lie within 8 values, so one byte shuffle fetches each pair.
template <int kPairs>
void shuffle_group(const MiddleRows& middle, const Axis& axis, int x, const Writer& shared) {
  const Writer writer = shared;  // a local copy stays in registers while the output is written
  const __m256i start = load32(axis.start + x);
  const __m256i first = _mm256_sub_epi32(start, _mm256_shuffle_epi32(start, 0));
  const __m256i index = _mm256_add_epi32(_mm256_mullo_epi32(first, _mm256_set1_epi32(0x02020202)),
                                         _mm256_set1_epi32(0x03020100));
  __m256i taps[kPairs];
  for (int j = 0; j < kPairs; ++j) taps[j] = load_taps(axis, j, x);
  const std::int16_t* low = middle.data + axis.start[x];
  const std::int16_t* high = middle.data + axis.start[x + 4];
  for (int y = 0; y < middle.height; ++y, low += middle.stride, high += middle.stride) {
    __m256i level = _mm256_setzero_si256();
    for (int j = 0; j < kPairs; ++j) {
      const __m256i inputs = _mm256_shuffle_epi8(load_lanes(low + 2 * j, high + 2 * j), index);
      level = _mm256_add_epi32(level, _mm256_madd_epi16(inputs, taps[j]));
    }
    writer.write(level, y, x);
  }
}

// Any reach: each pair of inputs is one gathered 32-bit value.
void gather_group(const MiddleRows& middle, const Axis& axis, int x, const Writer& shared) {
  const Writer writer = shared;  // a local copy stays in registers while the output is written
  const __m256i start = load32(axis.start + x);
  for (int y = 0; y < middle.height; ++y) {
    const std::int16_t* row = middle.data + y * middle.stride;
    __m256i level = _mm256_setzero_si256();
    for (int j = 0; j < axis.pairs; ++j) {
      const __m256i inputs = _mm256_i32gather_epi32(reinterpret_cast<const int*>(row + 2 * j), start, 2);
      level = _mm256_add_epi32(level, _mm256_madd_epi16(inputs, load_taps(axis, j, x)));
    }
    writer.write(level, y, x);
  }
}

using Group = void (*)(const MiddleRows&, const Axis&, int, const Writer&);

Group choose_group(const Axis& axis) {
  constexpr Group groups[] = {shuffle_group<1>, shuffle_group<2>, shuffle_group<3>, shuffle_group<4>,
                              shuffle_group<5>};
  return axis.step4 <= 6 && axis.pairs <= 5 ? groups[axis.pairs - 1] : gather_group;
}

void horizontal(const MiddleRows& middle, const Axis& axis, const Target& target) {
  if (axis.out < 8) return kScalarKernels.horizontal(middle, axis, target);
  const Group group = choose_group(axis);
  const Writer writer(axis, target);
  for (int x = 0; x < axis.out; x += 8) group(middle, axis, block_start(x, axis.out, 8), writer);
}

// All ones in the columns x .. x + 15 that lie in [first, last).
__m256i columns_between(int x, int first, int last) {
  const __m256i iota = _mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m256i column = _mm256_add_epi16(iota, _mm256_set1_epi16(static_cast<std::int16_t>(x)));
  const __m256i from = _mm256_cmpgt_epi16(column, _mm256_set1_epi16(static_cast<std::int16_t>(first - 1)));
  const __m256i until = _mm256_cmpgt_epi16(_mm256_set1_epi16(static_cast<std::int16_t>(last)), column);
  return _mm256_and_si256(from, until);
}

struct BandSums {
  __m256i levels, squares, clipped, laplacian, laplacian_squares;

  void add_pixels(__m256i pixel, __m256i valid) {
    levels = _mm256_add_epi32(levels, _mm256_madd_epi16(pixel, _mm256_set1_epi16(1)));
    squares = _mm256_add_epi32(squares, _mm256_madd_epi16(pixel, pixel));
    const __m256i black = _mm256_cmpeq_epi16(pixel, _mm256_setzero_si256());
    const __m256i white = _mm256_cmpeq_epi16(pixel, _mm256_set1_epi16(255));
    // A comparison that holds is -1.
    clipped = _mm256_sub_epi16(clipped, _mm256_and_si256(_mm256_or_si256(black, white), valid));
  }
  void add_laplacian(__m256i above, __m256i pixel, __m256i below, const std::uint8_t* row, __m256i inner) {
    const __m256i sides = _mm256_add_epi16(load_words(row - 1), load_words(row + 1));
    const __m256i around = _mm256_add_epi16(sides, _mm256_add_epi16(above, below));
    const __m256i value = _mm256_and_si256(_mm256_sub_epi16(_mm256_slli_epi16(pixel, 2), around), inner);
    laplacian = _mm256_add_epi32(laplacian, _mm256_madd_epi16(value, _mm256_set1_epi16(1)));
    laplacian_squares = _mm256_add_epi32(laplacian_squares, _mm256_madd_epi16(value, value));
  }
};

std::int64_t add_up(__m256i values) {
  std::int32_t lanes[8];
  store32(lanes, values);
  std::int64_t sum = 0;
  for (const std::int32_t lane : lanes) sum += lane;
  return sum;
}

// 16 columns, downwards, so that each row is widened once.
void measure_columns(const Band& band, int x, std::uint16_t* column_sums, BandSums& sums) {
  const __m256i valid = columns_between(x, 0, band.width);
  const __m256i inner = columns_between(x, 1, band.width - 1);
  const std::uint8_t* row = band.data + band.first * band.stride + x;
  __m256i column = load32(column_sums + x);
  __m256i above = band.first > 0 ? load_words(row - band.stride) : _mm256_setzero_si256();
  __m256i pixel = _mm256_and_si256(valid, load_words(row));
  for (int y = band.first; y < band.last; ++y, row += band.stride) {
    const bool last_row = y + 1 == band.height;
    const __m256i below =
        last_row ? _mm256_setzero_si256() : _mm256_and_si256(valid, load_words(row + band.stride));
    column = _mm256_add_epi16(column, pixel);
    sums.add_pixels(pixel, valid);
    if (y > 0 && !last_row) sums.add_laplacian(above, pixel, below, row, inner);
    above = pixel;
    pixel = below;
  }
  store32(column_sums + x, column);
}

void measure(const Band& band, std::uint16_t* column_sums, Sums* sums) {
  const __m256i zero = _mm256_setzero_si256();
  BandSums band_sums = {zero, zero, zero, zero, zero};
  for (int x = 0; x < band.width; x += 16) measure_columns(band, x, column_sums, band_sums);
  sums->levels += add_up(band_sums.levels);
  sums->squares += add_up(band_sums.squares);
  sums->clipped += add_up(_mm256_madd_epi16(band_sums.clipped, _mm256_set1_epi16(1)));
  sums->laplacian += add_up(band_sums.laplacian);
  sums->laplacian_squares += add_up(band_sums.laplacian_squares);
}

}  // namespace

const Kernels kAvx2Kernels = {to_gray, vertical, horizontal, measure};

}  // namespace lprfast::image
