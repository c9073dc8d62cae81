// Included once by each kernels*.cpp, inside its anonymous namespace, after that file's own definition of
//   Pack, kWidth           1, 8 or 16 floats, with load, splat, +, -, *, larger, smaller, zero_under,
//   drop (lane `dropped` - `start` becomes -infinity), equal_mask, power_of_two, load_some              the
//   first `count` (may be none, may be all) and `fill` for the rest, reduce_max, reduce_sum of one pack, in
//   halves: lane i with lane i + width / 2
// so that every path does the same arithmetic in the same order, that of 16 lanes, and gives the same bits.
// No library function is called, or it might be emitted with instructions that the processor has not.

constexpr std::size_t kLanes = 16;
constexpr std::size_t kPacks = kLanes / kWidth;
constexpr float kMinusInfinity = -__builtin_huge_valf();

inline Pack load_filled(const float* row, std::size_t i, std::size_t count) {
  if (i + kWidth <= count) return load(row + i);
  return i < count ? load_some(row + i, count - i, kMinusInfinity) : splat(kMinusInfinity);
}

// The largest value; NaN are passed over.
template <class Load>
inline float maximum_of(std::size_t count, const Load& load_pack) {
  Pack high = splat(kMinusInfinity);
  for (std::size_t i = 0; i < count; i += kWidth) high = larger(load_pack(i), high);
  return reduce_max(high);
}

struct Best {
  float value;
  std::int32_t place;
};

// The largest value first, then the first place that holds it, 64 at a time: no branch that depends on where.
template <class Load>
inline Best best_of(std::size_t count, const Load& load_pack) {
  const float highest = maximum_of(count, load_pack);
  const Pack wanted = splat(highest);
  for (std::size_t start = 0; start < count; start += 64) {
    const std::size_t end = start + 64 < count ? start + 64 : count;
    std::uint64_t equal = 0;
    for (std::size_t i = start; i < end; i += kWidth) {
      equal |= static_cast<std::uint64_t>(equal_mask(load_pack(i), wanted)) << (i - start);
    }
    if (equal != 0) return {highest, static_cast<std::int32_t>(start) + __builtin_ctzll(equal)};
  }
  return {highest, 0};
}

// A row of kCount packs, a number that the compiler knows: the row is loaded once and stays in registers.
template <std::size_t kCount>
struct ShortRow {
  Pack packs[kCount];

  ShortRow(const float* row, std::size_t classes) {
    for (std::size_t i = 0; i + 1 < kCount; ++i) packs[i] = load(row + i * kWidth);
    constexpr std::size_t last = (kCount - 1) * kWidth;
    packs[kCount - 1] = load_some(row + last, classes - last, kMinusInfinity);
  }
  Best best() const {
    return best_of(kCount * kWidth, [this](std::size_t i) { return packs[i / kWidth]; });
  }
};

constexpr std::size_t kShortRow = 80;  // classes; beyond it registers would not do

// NaN sticks to a sum, and nothing else makes one: +infinity is left to who looks at the maxima.
template <std::size_t kCount>
inline bool best_classes_short(const float* row, std::size_t steps, std::size_t classes, std::int32_t* best,
                               float* highest) {
  Pack sums[kCount];
  for (Pack& sum : sums) sum = splat(0);
  for (std::size_t t = 0; t < steps; ++t, row += classes) {
    const ShortRow<kCount> values(row, classes);
    for (std::size_t i = 0; i < kCount; ++i) sums[i] = sums[i] + values.packs[i];
    const Best found = values.best();
    best[t] = found.place;
    highest[t] = found.value;
  }
  for (std::size_t i = 1; i < kCount; ++i) sums[0] = sums[0] + sums[i];
  const float sum = reduce_sum(sums[0]);
  return sum == sum;
}

inline bool best_classes_long(const float* row, std::size_t steps, std::size_t classes, std::int32_t* best,
                              float* highest) {
  Pack sums = splat(0);
  for (std::size_t t = 0; t < steps; ++t, row += classes) {
    const auto load_pack = [=](std::size_t i) { return load_filled(row, i, classes); };
    for (std::size_t i = 0; i < classes; i += kWidth) sums = sums + load_pack(i);
    const Best found = best_of(classes, load_pack);
    best[t] = found.place;
    highest[t] = found.value;
  }
  const float sum = reduce_sum(sums);
  return sum == sum;
}

template <std::size_t kCount = 1>
inline bool best_classes(const float* row, std::size_t steps, std::size_t classes, std::int32_t* best,
                         float* highest) {
  if constexpr (kWidth > 1 && kCount * kWidth <= kShortRow) {
    if (classes > kCount * kWidth) return best_classes<kCount + 1>(row, steps, classes, best, highest);
    return best_classes_short<kCount>(row, steps, classes, best, highest);
  } else {
    return best_classes_long(row, steps, classes, best, highest);
  }
}

template <std::size_t kCount>
inline Best best_but(const float* row, std::size_t classes, std::size_t a, std::size_t b) {
  if constexpr (kCount > 0) {
    ShortRow<kCount> values(row, classes);
    for (std::size_t i = 0; i < kCount; ++i) {
      values.packs[i] = drop(drop(values.packs[i], i * kWidth, a), i * kWidth, b);
    }
    return values.best();
  } else {
    return best_of(classes,
                   [=](std::size_t i) { return drop(drop(load_filled(row, i, classes), i, a), i, b); });
  }
}

template <std::size_t kCount>
inline void runners_up_of(const float* scores, std::size_t classes, std::size_t blank,
                          const std::int32_t* steps, const std::int32_t* labels, std::size_t count,
                          std::int32_t* best, float* highest) {
  for (std::size_t i = 0; i < count; ++i) {
    const float* row = scores + static_cast<std::size_t>(steps[i]) * classes;
    const Best found = best_but<kCount>(row, classes, blank, static_cast<std::size_t>(labels[i]));
    best[i] = found.place;
    highest[i] = found.value;
  }
}

template <std::size_t kCount = 1>
inline void runners_up(const float* scores, std::size_t classes, std::size_t blank, const std::int32_t* steps,
                       const std::int32_t* labels, std::size_t count, std::int32_t* best, float* highest) {
  if constexpr (kWidth > 1 && kCount * kWidth <= kShortRow) {
    if (classes > kCount * kWidth) {
      return runners_up<kCount + 1>(scores, classes, blank, steps, labels, count, best, highest);
    }
    runners_up_of<kCount>(scores, classes, blank, steps, labels, count, best, highest);
  } else {
    runners_up_of<0>(scores, classes, blank, steps, labels, count, best, highest);
  }
}

inline void maxima(const float* row, std::size_t steps, std::size_t classes, float* out) {
  for (std::size_t t = 0; t < steps; ++t, row += classes) {
    out[t] = maximum_of(classes, [=](std::size_t i) { return load_filled(row, i, classes); });
  }
}

// exp(x) = 2^n 2^f, |f| <= 1/2, where 2^f = 1 + f q(f) with q of degree 4, fitted to 2e-7 of the result.
// Adding 1.5 * 2^23 rounds to an integer that then stands in the low bits: no conversion, whose result for
// NaN would be undefined. Out of range the result is 2^-126 or 2^127, which is nothing beside 1, and far too
// much.
inline Pack exp_pack(Pack x) {
  const Pack magic = splat(12582912.0F);
  const Pack power = smaller(splat(127.0F), larger(splat(-126.0F), x * splat(1.44269504F)));
  const Pack shifted = power + magic;
  const Pack f = power - (shifted - magic);
  Pack sum = splat(0.00132186722F);
  sum = sum * f + splat(0.00967169832F);
  sum = sum * f + splat(0.0555089302F);
  sum = sum * f + splat(0.24022238F);
  sum = sum * f + splat(0.693146884F);
  sum = sum * f + splat(1.0F);
  return sum * power_of_two(shifted);
}

inline float sum_exp_row(const float* row, std::size_t classes, float offset) {
  Pack sums[kPacks];
  for (Pack& sum : sums) sum = splat(0);
  for (std::size_t i = 0; i < classes; i += kLanes) {
    for (std::size_t pack = 0; pack < kPacks; ++pack) {
      sums[pack] = sums[pack] + exp_pack(load_filled(row, i + pack * kWidth, classes) - splat(offset));
    }
  }
  for (std::size_t half = kPacks / 2; half > 0; half /= 2) {
    for (std::size_t pack = 0; pack < half; ++pack) sums[pack] = sums[pack + half] + sums[pack];
  }
  return reduce_sum(sums[0]);
}

inline void sum_exp(const float* row, std::size_t steps, std::size_t classes, const float* offsets,
                    float* sums) {
  for (std::size_t t = 0; t < steps; ++t, row += classes) sums[t] = sum_exp_row(row, classes, offsets[t]);
}

inline void subtract(const float* row, std::size_t steps, std::size_t classes, const float* first,
                     const float* second, float* out) {
  for (std::size_t t = 0; t < steps; ++t, row += classes, out += classes) {
    for (std::size_t k = 0; k < classes; ++k) out[k] = (row[k] - first[t]) - second[t];
  }
}

constexpr int kTerms = 14;
constexpr double kTaylor[kTerms] = {
    1,          1,           0.5,          1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,
    1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};

// The same in double, one at a time: the compiler makes vectors of this loop. Taylor, |r| < 0.35: what 14
// terms leave out is under 1e-17, what 10 do is under 1e-11.
template <int kCount>
inline double exp_double(double x) {
  const double shifted = x * 1.4426950408889634 + 6755399441055744.0;
  const double n = shifted - 6755399441055744.0;
  const double r = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  double sum = kTaylor[kCount - 1];
#pragma GCC unroll 16
  for (int i = kCount - 2; i >= 0; --i) sum = sum * r + kTaylor[i];
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
  for (std::size_t i = 0; i < count; ++i) out[i] = exp_double<kTerms>(static_cast<double>(values[i]));
}

inline void confidences(float* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(exp_double<10>(static_cast<double>(values[i])));
  }
}
