// Prefix beam search (Graves et al. 2006, Hannun et al. 2014); docs/ctc.md has the recurrence.
#include <algorithm>
#include <cmath>

#include "ctc/arithmetic.hpp"
#include "ctc/ctc.hpp"
#include "ctc/kernels.hpp"
#include "ctc/prefix_tree.hpp"

namespace lprfast::ctc {
namespace {

constexpr std::int32_t kNone = PrefixTree::kNone;

// A prefix in the beam and the mass of its alignments so far.
struct Entry {
  std::int32_t node;
  double in_blank;                   // of those that end in a blank
  double in_label;                   // of those that end in the prefix's last label
  double total;                      // of both
  std::int32_t first_child = kNone;  // slots of the prefixes in the beam that have one label more, as a list
  std::int32_t next_child = kNone;
};

constexpr std::int32_t kStay = -1;  // label of the candidate that adds none

// A prefix that may be in the next beam: the one in `slot`, with or without one label more.
struct Candidate {
  double total;
  std::int32_t slot;
  std::int32_t label;
};

// Of equal candidates, those that add no label come first, then those of the better prefix, then the first
// label.
bool better(const Candidate& a, const Candidate& b) {
  if (a.total != b.total) return a.total > b.total;
  if ((a.label == kStay) != (b.label == kStay)) return a.label == kStay;
  return a.slot != b.slot ? a.slot < b.slot : a.label < b.label;
}

template <class Arithmetic>
class Beam {
 public:
  // `scores` are the posteriors in Arithmetic's numbers; `logs` their logarithms.
  Beam(ScoresView logs, const double* scores, int blank, const BeamOptions& options)
      : logs_(logs),
        scores_(scores),
        blank_(static_cast<std::size_t>(blank)),
        size_(static_cast<std::size_t>(options.beam_size)),
        prune_(options.prune),
        tree_(std::min<std::size_t>(size_, 64) * (logs.steps + 1)) {
    entries_.push_back({PrefixTree::kRoot, A::one, A::zero, A::one});
    tree_.set_slot(PrefixTree::kRoot, 0);
  }

  // False when underflow may have touched the result.
  bool run() {
    for (std::size_t t = 0; t < logs_.steps; ++t) {
      read_row(t);
      stay();
      extend();
      std::sort_heap(candidates_.begin(), candidates_.end(), better);
      if (!trusted(t)) return false;
      advance();
    }
    return true;
  }

  std::vector<Hypothesis> best(std::size_t count) const {
    std::vector<Hypothesis> found;
    for (std::size_t i = 0; i < std::min(count, entries_.size()); ++i) {
      found.push_back({tree_.labels(entries_[i].node), A::log(entries_[i].total)});
    }
    return found;
  }

 private:
  using A = Arithmetic;

  // The step's scores; symbols_ is the row as the extensions see it, without the blank and what pruning
  // takes.
  void read_row(std::size_t t) {
    row_ = scores_ + t * logs_.classes;
    symbols_.assign(row_, row_ + logs_.classes);
    symbols_[blank_] = A::zero;
    highest_ = *std::max_element(symbols_.begin(), symbols_.end());
    if (prune_ == 0) return;
    double least = A::from_probability(prune_);
    if (row_[blank_] == A::zero) least = std::min(least, highest_);  // or the beam might run empty
    for (double& symbol : symbols_) {
      if (symbol < least) symbol = A::zero;
    }
  }

  // Mass that flows from the prefix in `entry` to the same with `label` added; after an equal label only the
  // alignments that end in a blank count.
  double extension(const Entry& entry, std::int32_t label) const {
    const double from = label == tree_.label(entry.node) ? entry.in_blank : entry.total;
    return A::multiply(from, symbols_[static_cast<std::size_t>(label)]);
  }

  // The prefixes that are in the beam already: by a blank, by their last label again, or by that label added
  // to their parent where it is in the beam too.
  void stay() {
    candidates_.clear();
    threshold_ = A::underflows && prune_ > 0 ? kSmallestTrusted : A::zero;
    stayed_.resize(entries_.size());
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      Entry& entry = entries_[i];
      Entry& next = stayed_[i];
      next = {entry.node, A::multiply(entry.total, row_[blank_]), A::zero, A::zero};
      if (entry.node != PrefixTree::kRoot) {
        const std::int32_t label = tree_.label(entry.node);
        next.in_label = A::multiply(entry.in_label, row_[label]);
        const std::int32_t parent = tree_.slot(tree_.parent(entry.node));
        if (parent != kNone) {
          Entry& above = entries_[static_cast<std::size_t>(parent)];
          next.in_label = A::add(next.in_label, extension(above, label));
          entry.next_child = above.first_child;
          above.first_child = static_cast<std::int32_t>(i);
        }
      }
      next.total = A::add(next.in_blank, next.in_label);
      offer({next.total, static_cast<std::int32_t>(i), kStay});
    }
  }

  // The prefixes that come in with one label more. Entries stand best first.
  void extend() {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const Entry& entry = entries_[i];
      if (A::multiply(entry.total, highest_) <= threshold_) return;
      for (std::int32_t c = entry.first_child; c != kNone;
           c = entries_[static_cast<std::size_t>(c)].next_child) {
        hide(tree_.label(entries_[static_cast<std::size_t>(c)].node));  // counted in stay()
      }
      const std::int32_t slot = static_cast<std::int32_t>(i);
      const std::int32_t last = tree_.label(entry.node);
      if (last != kNone) {
        offer({extension(entry, last), slot, last});
        hide(last);
      }
      const double total = entry.total;
      for (std::size_t k = 0; k < symbols_.size(); ++k) {
        const double mass = A::multiply(total, symbols_[k]);
        if (mass > threshold_) offer({mass, slot, static_cast<std::int32_t>(k)});
      }
      unhide();
    }
  }

  void hide(std::int32_t label) {
    double& symbol = symbols_[static_cast<std::size_t>(label)];
    hidden_.push_back({label, symbol});
    symbol = A::zero;
  }

  void unhide() {
    for (; !hidden_.empty(); hidden_.pop_back()) {
      symbols_[static_cast<std::size_t>(hidden_.back().label)] = hidden_.back().score;
    }
  }

  // Keeps the size_ best as a heap whose first is the worst.
  void offer(const Candidate& candidate) {
    if (!(candidate.total > threshold_)) return;
    if (candidates_.size() == size_) {
      std::pop_heap(candidates_.begin(), candidates_.end(), better);
      candidates_.back() = candidate;
    } else {
      candidates_.push_back(candidate);
    }
    std::push_heap(candidates_.begin(), candidates_.end(), better);
    if (candidates_.size() == size_) threshold_ = candidates_.front().total;
  }

  // Exact when the worst that was kept is far above what underflow can lose, so that nothing lost could
  // matter. Otherwise (a beam that is not full keeps every prefix) exact when no alignment at all can be that
  // small.
  bool trusted(std::size_t t) {
    if (!A::underflows) return true;
    if (candidates_.empty()) return false;
    const bool large = candidates_.back().total >= kSmallestTrusted;
    if (large && (candidates_.size() == size_ || prune_ > 0)) return true;
    for (; bounded_steps_ <= t; ++bounded_steps_) {
      const float* row = logs_.row(bounded_steps_);
      float least = 0;
      for (std::size_t k = 0; k < logs_.classes; ++k) {
        if (row[k] < least && std::isfinite(row[k])) least = row[k];
      }
      least_log_ += static_cast<double>(least);
    }
    return least_log_ >= kLogSmallestTrusted;
  }

  // The candidates become the beam.
  void advance() {
    for (const Entry& entry : entries_) tree_.set_slot(entry.node, kNone);
    next_.clear();
    for (const Candidate& candidate : candidates_) {
      const auto slot = static_cast<std::size_t>(candidate.slot);
      if (candidate.label == kStay) {
        next_.push_back(stayed_[slot]);
      } else {
        const std::int32_t node = tree_.child(entries_[slot].node, candidate.label);
        next_.push_back({node, A::zero, candidate.total, candidate.total});
      }
      tree_.set_slot(next_.back().node, static_cast<std::int32_t>(next_.size() - 1));
    }
    entries_.swap(next_);
  }

  struct Hidden {
    std::int32_t label;
    double score;
  };

  ScoresView logs_;
  const double* scores_;
  std::size_t blank_;
  std::size_t size_;
  double prune_;
  PrefixTree tree_;
  std::vector<Entry> entries_;  // the beam, best first
  std::vector<Entry> stayed_;   // the same prefixes one step later
  std::vector<Entry> next_;
  std::vector<Candidate> candidates_;
  double threshold_ = A::zero;  // a candidate must be above this
  const double* row_ = nullptr;
  std::vector<double> symbols_;
  std::vector<Hidden> hidden_;
  double highest_ = A::zero;  // of symbols_
  std::size_t bounded_steps_ = 0;
  double least_log_ = 0;  // no alignment of the first bounded_steps_ is less likely, but for impossible ones
};

}  // namespace

std::vector<Hypothesis> beam_search(ScoresView log_posteriors, int blank, const BeamOptions& options,
                                    Isa isa) {
  const std::size_t size = log_posteriors.steps * log_posteriors.classes;
  const auto nbest = static_cast<std::size_t>(options.nbest);
  std::vector<double> scores(size);
  kernels(isa).exponentials(log_posteriors.data, size, scores.data());
  Beam<Linear> linear(log_posteriors, scores.data(), blank, options);
  if (linear.run()) return linear.best(nbest);
  std::copy(log_posteriors.data, log_posteriors.data + size, scores.begin());
  Beam<Logarithmic> logarithmic(log_posteriors, scores.data(), blank, options);
  logarithmic.run();
  return logarithmic.best(nbest);
}

}  // namespace lprfast::ctc
