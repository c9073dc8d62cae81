// Included once by each kernels*.cpp, inside its anonymous namespace, after that file's own definition of
//   Lanes                  16 floats, with load, load_first, splat, +, -, *, larger, zero_under,
//   power_of_two, reduce_max, reduce_sum, equal_mask
// so that every path does the same arithmetic in the same order and gives the same bits. No library function
// is called, or it might be emitted with instructions that the processor has not.

constexpr std::size_t kLanes = 16;
constexpr float kMinusInfinity = -__builtin_huge_valf();

inline Lanes load_piece(const float* row, std::size_t i, std::size_t count, float fill) {
  return i + kLanes <= count ? load(row + i) : load_first(row + i, count - i, fill);
}

// The largest value; NaN are passed over.
inline float maximum(const float* row, std::size_t count) {
  Lanes high = splat(kMinusInfinity);
  for (std::size_t i = 0; i < count; i += kLanes)
    high = larger(load_piece(row, i, count, kMinusInfinity), high);
  return reduce_max(high);
}

// The largest value first, then the first place that holds it.
inline std::size_t argmax(const float* row, std::size_t count) {
  const Lanes wanted = splat(maximum(row, count));
  for (std::size_t i = 0; i < count; i += kLanes) {
    const unsigned equal = equal_mask(load_piece(row, i, count, kMinusInfinity), wanted);
    if (equal != 0) return i + static_cast<std::size_t>(__builtin_ctz(equal));
  }
  return 0;
}

// exp(x) = 2^n exp(r), |r| <= log(2) / 2. Adding 1.5 * 2^23 rounds to an integer that then stands in the low
// bits: no conversion, whose result for NaN would be undefined.
inline Lanes exp_lanes(Lanes x) {
  const Lanes magic = splat(12582912.0F);
  const Lanes bounded = smaller(splat(88.0F), x);
  const Lanes shifted = bounded * splat(1.44269504F) + magic;
  const Lanes n = shifted - magic;
  const Lanes r = (bounded - n * splat(0.693359375F)) + n * splat(2.12194440e-4F);
  Lanes sum = splat(1.0F / 720);
  sum = sum * r + splat(1.0F / 120);
  sum = sum * r + splat(1.0F / 24);
  sum = sum * r + splat(1.0F / 6);
  sum = sum * r + splat(0.5F);
  sum = sum * r + splat(1.0F);
  sum = sum * r + splat(1.0F);
  return zero_under(x, -87.0F, sum * power_of_two(shifted));
}

inline float sum_exp(const float* row, std::size_t count, float offset) {
  Lanes sum = splat(0);
  for (std::size_t i = 0; i < count; i += kLanes) {
    sum = sum + exp_lanes(load_piece(row, i, count, kMinusInfinity) - splat(offset));
  }
  return reduce_sum(sum);
}

// The same in double, one at a time: the compiler makes vectors of this loop. Taylor to r^13, whose remainder
// is under 1e-17.
inline double exp_double(double x) {
  const double shifted = x * 1.4426950408889634 + 6755399441055744.0;
  const double n = shifted - 6755399441055744.0;
  const double r = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  double sum = 1.0 / 6227020800;
  sum = sum * r + 1.0 / 479001600;
  sum = sum * r + 1.0 / 39916800;
  sum = sum * r + 1.0 / 3628800;
  sum = sum * r + 1.0 / 362880;
  sum = sum * r + 1.0 / 40320;
  sum = sum * r + 1.0 / 5040;
  sum = sum * r + 1.0 / 720;
  sum = sum * r + 1.0 / 120;
  sum = sum * r + 1.0 / 24;
  sum = sum * r + 1.0 / 6;
  sum = sum * r + 0.5;
  sum = sum * r + 1.0;
  sum = sum * r + 1.0;
  std::uint64_t bits;
  __builtin_memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 1023) << 52;
  double result;
  __builtin_memcpy(&result, &bits, sizeof result);
  result *= sum;
  // A mask and not a condition: with one the compiler makes no vectors.
  __builtin_memcpy(&bits, &result, sizeof bits);
  bits &= -static_cast<std::uint64_t>(x >= -708.0);
  __builtin_memcpy(&result, &bits, sizeof result);
  return result;
}

inline void exponentials(const float* values, std::size_t count, double* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = exp_double(static_cast<double>(values[i]));
}
