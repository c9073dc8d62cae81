// Resize coefficients of one axis in fixed point, and a bounded store of them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "image/kernels.hpp"
#include "image/prepare.hpp"

namespace lprfast::image {

// More bits for wider filters, whose taps are small; as many as 32-bit sums bear (docs/numerics.md).
constexpr int kVerticalBits = 20;
constexpr int kHorizontalBits = 16;

class AxisPlan {
 public:
  AxisPlan(int in, int out, Kernel kernel, int max_bits);
  Axis view() const;
  bool serves(int in, int out, Kernel kernel) const { return in == in_ && out == out_ && kernel == kernel_; }
  std::size_t tap_count() const { return taps_.size(); }

 private:
  int in_;
  int out_;
  Kernel kernel_;
  int pairs_ = 0;
  int bits_ = 0;
  int step4_ = 0;
  int step16_ = 0;
  std::vector<std::int32_t> start_;
  std::vector<std::int16_t> taps_;
};

// One slot per input size modulo 256, so the sizes of plate crops never push one another out, and a stream of
// odd sizes only ever replaces.
class AxisCache {
 public:
  explicit AxisCache(int max_bits) : max_bits_(max_bits) {}
  // Valid until the next call.
  Axis get(int in, int out, Kernel kernel);

 private:
  int max_bits_;
  std::array<std::unique_ptr<AxisPlan>, 256> slots_;
  std::unique_ptr<AxisPlan> large_;  // a plan too big to keep in the slots: only the last one
};

}  // namespace lprfast::image
