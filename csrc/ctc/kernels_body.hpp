// Included once by each kernels*.cpp, inside its anonymous namespace: the same arithmetic in the same order,
// compiled for another instruction set. Plain loops over 16 lanes, which the compiler turns into vectors; no
// library function, so that none is emitted with instructions that the processor may not have.

constexpr std::size_t kLanes = 16;
constexpr float kMinusInfinity = -__builtin_huge_valf();

// Runs body(chunk) over the row in pieces of kLanes; the last one is filled up with -infinity.
template <class Body>
inline void for_each_chunk(const float* row, std::size_t count, const Body& body) {
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) body(row + i);
  if (i == count) return;
  float last[kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) last[lane] = kMinusInfinity;
  for (std::size_t lane = 0; i + lane < count; ++lane) last[lane] = row[i + lane];
  body(last);
}

inline float maximum(const float* row, std::size_t count) {
  float lanes[kLanes];
  for (float& lane : lanes) lane = kMinusInfinity;
  for_each_chunk(row, count, [&lanes](const float* chunk) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] = chunk[lane] > lanes[lane] ? chunk[lane] : lanes[lane];
    }
  });
  for (std::size_t width = kLanes / 2; width > 0; width /= 2) {
    for (std::size_t lane = 0; lane < width; ++lane) {
      lanes[lane] = lanes[lane + width] > lanes[lane] ? lanes[lane + width] : lanes[lane];
    }
  }
  return lanes[0];
}

// exp(x) = 2^n exp(r), |r| <= log(2) / 2. Adding 1.5 * 2^23 rounds to an integer that then stands in the low
// bits: no conversion, whose result for NaN would be undefined.
inline float exp_float(float x) {
  const float bounded = x > 88.0F ? 88.0F : x;
  const float shifted = bounded * 1.44269504F + 12582912.0F;
  const float n = shifted - 12582912.0F;
  const float r = (bounded - n * 0.693359375F) + n * 2.12194440e-4F;
  float sum = 1.0F / 720;
  sum = sum * r + 1.0F / 120;
  sum = sum * r + 1.0F / 24;
  sum = sum * r + 1.0F / 6;
  sum = sum * r + 0.5F;
  sum = sum * r + 1.0F;
  sum = sum * r + 1.0F;
  std::uint32_t bits;
  __builtin_memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127) << 23;
  float scale;
  __builtin_memcpy(&scale, &bits, sizeof scale);
  const float result = sum * scale;
  return x < -87.0F ? 0.0F : result;
}

inline float sum_exp(const float* row, std::size_t count, float offset) {
  float lanes[kLanes];
  for (float& lane : lanes) lane = 0;
  for_each_chunk(row, count, [&lanes, offset](const float* chunk) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += exp_float(chunk[lane] - offset);
  });
  for (std::size_t width = kLanes / 2; width > 0; width /= 2) {
    for (std::size_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  }
  return lanes[0];
}

// The same in double: Taylor to r^13, whose remainder is under 1e-17.
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
  double scale;
  __builtin_memcpy(&scale, &bits, sizeof scale);
  const double result = sum * scale;
  return x < -708.0 ? 0.0 : result;
}

inline void exponentials(const float* values, std::size_t count, double* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = exp_double(static_cast<double>(values[i]));
}
