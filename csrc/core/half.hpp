// IEEE half precision (float16) to float and back, as loops without branches that compilers turn into
// vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lprfast {

namespace half_bits {

inline float as_float(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline std::uint32_t as_bits(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

constexpr std::uint32_t kRebias = 112u << 23;  // between the exponent biases 127 and 15
constexpr std::uint32_t kOneHalf = 126u
                                   << 23;  // 0.5f, whose unit in the last place is 2^-24, a half's smallest

inline float widen(std::uint16_t half) {
  const std::uint32_t magnitude = half & 0x7fffu;
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t normal = (magnitude << 13) + kRebias + (magnitude >= 0x7c00u ? kRebias : 0u);
  // Adding 0.5 and taking it away reads a subnormal exactly and never touches a float subnormal, which a
  // processor set to flush them would turn into zero.
  const std::uint32_t subnormal = as_bits(as_float(magnitude + kOneHalf) - 0.5f);
  return as_float((magnitude < 0x400u ? subnormal : normal) | sign);
}

inline std::uint16_t narrow(float value) {
  const std::uint32_t bits = as_bits(value);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  // Round half to even on the 13 bits that go; a carry moves to the next exponent and, at the top, to
  // infinity.
  const std::uint32_t normal = (magnitude - kRebias + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  const std::uint32_t subnormal = as_bits(as_float(magnitude) + 0.5f) - kOneHalf;
  const std::uint32_t special =
      0x7c00u | (magnitude > 0x7f800000u ? 0x200u | ((magnitude >> 13) & 0x3ffu) : 0u);
  std::uint32_t half = magnitude < 0x38800000u ? subnormal : normal;
  half = magnitude >= 0x47800000u ? special : half;
  return static_cast<std::uint16_t>(half | ((bits >> 16) & 0x8000u));
}

}  // namespace half_bits

// Exact for every half; infinities stay, a NaN stays a NaN.
inline void half_to_float(const std::uint16_t* halves, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = half_bits::widen(halves[i]);
}

// Rounded to nearest, ties to even, as IEEE 754 and NumPy do; 65520 and more become infinity, a NaN stays a
// NaN.
inline void float_to_half(const float* values, std::size_t count, std::uint16_t* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = half_bits::narrow(values[i]);
}

}  // namespace lprfast
