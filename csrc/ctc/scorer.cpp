#include "ctc/scorer.hpp"

#include <algorithm>

#include "ctc/arithmetic.hpp"
#include "ctc/ctc.hpp"
#include "ctc/kernels.hpp"

namespace lprfast::ctc {
namespace {

// Steps that the text needs at least: one per label, and a blank between equal neighbours.
std::size_t least_steps(const int* labels, std::size_t count) {
  std::size_t steps = count;
  for (std::size_t i = 1; i < count; ++i) steps += labels[i] == labels[i - 1];
  return steps;
}

}  // namespace

Scorer::Scorer(ScoresView log_posteriors, int blank, Isa isa) { reset(log_posteriors, blank, isa); }

void Scorer::reset(ScoresView log_posteriors, int blank, Isa isa) {
  steps_ = log_posteriors.steps;
  classes_ = log_posteriors.classes;
  blank_ = blank;
  const std::size_t size = steps_ * classes_;
  logs_.assign(log_posteriors.data, log_posteriors.data + size);
  posteriors_.resize(size);
  kernels(isa).exponentials(logs_.data(), size, posteriors_.data());
}

double Scorer::score(const int* labels, std::size_t count) {
  if (least_steps(labels, count) > steps_) return Logarithmic::zero;
  const double probability = forward<Linear>(posteriors_.data(), labels, count);
  if (probability >= kSmallestTrusted) return Linear::log(probability);
  return forward<Logarithmic>(logs_.data(), labels, count);
}

// Mass of the alignments that end in the blank before each label, and in each label itself; both are updated
// in place from the last label back, because each needs its left neighbour's old value.
template <class Arithmetic, class Score>
double Scorer::forward(const Score* scores, const int* labels, std::size_t count) {
  using A = Arithmetic;
  in_blank_.assign(count + 1, A::zero);
  in_label_.assign(count, A::zero);
  in_blank_[0] = A::one;
  for (std::size_t t = 0; t < steps_; ++t, scores += classes_) {
    const double blank = scores[blank_];
    for (std::size_t i = count; i > 0; --i) {
      const std::size_t k = i - 1;
      in_blank_[i] = A::multiply(A::add(in_blank_[i], in_label_[k]), blank);
      double reach = A::add(in_label_[k], in_blank_[k]);
      if (k > 0 && labels[k] != labels[k - 1]) reach = A::add(reach, in_label_[k - 1]);
      in_label_[k] = A::multiply(reach, scores[labels[k]]);
    }
    in_blank_[0] = A::multiply(in_blank_[0], blank);
  }
  return count == 0 ? in_blank_[0] : A::add(in_blank_[count], in_label_[count - 1]);
}

// For one text only the columns of its labels and the blank are worth their exponentials.
double score(ScoresView log_posteriors, int blank, const int* labels, std::size_t count) {
  std::vector<int> columns{blank};
  std::vector<int> places(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto found = std::find(columns.begin(), columns.end(), labels[i]);
    places[i] = static_cast<int>(found - columns.begin());
    if (found == columns.end()) columns.push_back(labels[i]);
  }
  std::vector<float> logs;
  logs.reserve(log_posteriors.steps * columns.size());
  for (std::size_t t = 0; t < log_posteriors.steps; ++t) {
    for (const int column : columns) logs.push_back(log_posteriors.row(t)[column]);
  }
  return Scorer({logs.data(), log_posteriors.steps, columns.size()}, 0).score(places.data(), count);
}

}  // namespace lprfast::ctc
