#include "image/axis.hpp"

#include <algorithm>
#include <cmath>

namespace lprfast::image {
namespace {

constexpr int kSlack = 32;                     // vector loads of starts and taps may run past the end
constexpr std::size_t kLargePlan = 16 * 1024;  // taps

double weight(Kernel kernel, double distance) {
  const double x = std::abs(distance);
  if (kernel == Kernel::bilinear) return x < 1 ? 1 - x : 0;
  constexpr double a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return a * (((x - 5) * x + 8) * x - 4);
  return 0;
}

// The weights of one output; they add up to 1.
struct Filter {
  int first = 0;
  std::vector<double> weights;
};

Filter make_filter(int index, int in, int out, Kernel kernel) {
  const double ratio = static_cast<double>(in) / out;
  const double stretch = std::max(ratio, 1.0);  // the support grows when shrinking: antialias
  const double support = (kernel == Kernel::bilinear ? 1.0 : 2.0) * stretch;
  const double center = (index + 0.5) * ratio - 0.5;
  Filter filter;
  filter.first = std::max(0, static_cast<int>(std::ceil(center - support)));
  const int last = std::min(in - 1, static_cast<int>(std::floor(center + support)));
  double sum = 0;
  for (int j = filter.first; j <= last; ++j) {
    filter.weights.push_back(weight(kernel, (j - center) / stretch));
    sum += filter.weights.back();
  }
  for (double& value : filter.weights) value /= sum;
  return filter;
}

struct FixedFilter {
  int first = 0;
  std::vector<std::int16_t> taps;
};

// Rounds the running sum, not each weight: the taps then add up to 1 << bits exactly, and no error piles up.
FixedFilter to_fixed(const Filter& filter, int bits) {
  const double one = static_cast<double>(1 << bits);
  FixedFilter fixed;
  fixed.first = filter.first;
  double sum = 0;
  long before = 0;
  for (const double value : filter.weights) {
    sum += value;
    const long now = std::lround(sum * one);
    fixed.taps.push_back(static_cast<std::int16_t>(now - before));
    before = now;
  }
  fixed.taps.back() = static_cast<std::int16_t>(fixed.taps.back() + (1 << bits) - before);
  while (fixed.taps.size() > 1 && fixed.taps.back() == 0) fixed.taps.pop_back();
  const auto nonzero = std::find_if(fixed.taps.begin(), fixed.taps.end(), [](int tap) { return tap != 0; });
  fixed.first += static_cast<int>(nonzero - fixed.taps.begin());
  fixed.taps.erase(fixed.taps.begin(), nonzero);
  return fixed;
}

// As many bits as the largest weight leaves room for in 16.
int choose_bits(const std::vector<Filter>& filters, int max_bits) {
  double largest = 0;
  for (const Filter& filter : filters) {
    for (const double value : filter.weights) largest = std::max(largest, std::abs(value));
  }
  int bits = 14;
  while (bits < max_bits && largest * (1 << (bits + 1)) < 32766) ++bits;
  return bits;
}

int largest_step(const std::vector<std::int32_t>& start, int out, int distance) {
  int step = 0;
  for (int i = 0; i < out; ++i) step = std::max(step, start[std::min(i + distance, out - 1)] - start[i]);
  return step;
}

}  // namespace

AxisPlan::AxisPlan(int in, int out, Kernel kernel, int max_bits) : in_(in), out_(out), kernel_(kernel) {
  std::vector<Filter> filters;
  filters.reserve(static_cast<std::size_t>(out));
  for (int i = 0; i < out; ++i) filters.push_back(make_filter(i, in, out, kernel));
  bits_ = choose_bits(filters, max_bits);

  std::vector<FixedFilter> fixed;
  fixed.reserve(filters.size());
  for (const Filter& filter : filters) fixed.push_back(to_fixed(filter, bits_));
  // Zeros were cut from the front of some filters: begin early enough that the starts never decrease.
  std::vector<int> first(fixed.size());
  int bound = in;
  int longest = 0;
  for (int i = out - 1; i >= 0; --i) {
    bound = first[i] = std::min(bound, fixed[i].first);
    longest = std::max(longest, fixed[i].first - bound + static_cast<int>(fixed[i].taps.size()));
  }
  pairs_ = (longest + 1) / 2;

  start_.assign(static_cast<std::size_t>(out) + kSlack, 0);
  taps_.assign((static_cast<std::size_t>(out) * pairs_ + kSlack) * 2, 0);
  for (int i = 0; i < out; ++i) {
    // Keep the window inside the image; the taps that this adds are zeros.
    start_[i] = std::max(0, std::min(first[i], in - 2 * pairs_));
    const int lead = fixed[i].first - start_[i];
    for (int k = 0; k < static_cast<int>(fixed[i].taps.size()); ++k) {
      const int tap = lead + k;
      taps_[(static_cast<std::size_t>(tap / 2) * out + i) * 2 + tap % 2] = fixed[i].taps[k];
    }
  }
  step4_ = largest_step(start_, out, 3);
  step16_ = largest_step(start_, out, 15);
}

Axis AxisPlan::view() const {
  Axis axis;
  axis.in = in_;
  axis.out = out_;
  axis.pairs = pairs_;
  axis.bits = bits_;
  axis.step4 = step4_;
  axis.step16 = step16_;
  axis.start = start_.data();
  axis.taps = taps_.data();
  return axis;
}

Axis AxisCache::get(int in, int out, Kernel kernel) {
  std::unique_ptr<AxisPlan>& slot = slots_[static_cast<std::size_t>(in) % slots_.size()];
  if (slot && slot->serves(in, out, kernel)) return slot->view();
  if (large_ && large_->serves(in, out, kernel)) return large_->view();
  auto plan = std::make_unique<AxisPlan>(in, out, kernel, max_bits_);
  std::unique_ptr<AxisPlan>& home = plan->tap_count() > kLargePlan ? large_ : slot;
  home = std::move(plan);
  return home->view();
}

}  // namespace lprfast::image
