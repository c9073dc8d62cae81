// How well a text follows the layouts that plates are expected to have. docs/layouts.md has the formula.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ctc/ctc.hpp"

namespace lprfast::ctc {

// A sequence of elements; each is one of its strings, all equally likely.
struct Pattern {
  double share = 0;  // of all plates, over 0
  std::vector<std::vector<std::u32string>> elements;
};

struct PriorSpec {
  std::vector<Pattern> patterns;         // their shares sum to 1
  std::map<char32_t, double> free_logs;  // log-probability of each symbol on a plate that follows no pattern
  double rare_log = 0;                   // of any other symbol there
  double length_log = 0;                 // of the length of such a plate
  double escape = 0;                     // share of such plates, over 0 and under 1
  double strength = 0;                   // weight of the logarithm of the ratio, 0-1
  double ceiling = 0;                    // of that logarithm
};

// The patterns of one prior, compiled: a text costs some bit operations per symbol.
class Layouts {
 public:
  // Throws std::invalid_argument for numbers out of range, a pattern without elements, an element without
  // strings or with an empty one, or a pattern that allows lengths over kLongest.
  explicit Layouts(const PriorSpec& spec);

  static constexpr std::size_t kLongest = 32;

  // The number of a symbol, -1 when no pattern has it; and what it costs a plate that follows none.
  int number(char32_t symbol) const;
  double free_log(char32_t symbol) const;
  double rare_log() const { return spec_.rare_log; }

  // sum over patterns of share * P(text | pattern); symbols by number.
  double probability(const std::vector<int>& text) const;

  // strength * min(log((1 - escape) * probability / free + escape), ceiling)
  double log_weight(double probability, double free_log) const;
  double largest_log_weight() const { return spec_.strength * spec_.ceiling; }

 private:
  // Strings of two symbols and more that stand at one place of a pattern.
  struct Wide {
    std::size_t start = 0;
    std::size_t length = 0;
    std::set<std::vector<int>> strings;
  };
  struct Variant {  // a pattern whose elements all have one length
    double probability = 0;
    std::vector<Wide> wides;
  };
  struct Bucket {  // the variants of one length
    std::vector<Variant> variants;
    std::vector<std::vector<std::set<int>>> allowed;  // [variant][place]; empty once packed
    std::size_t words = 0;
    std::vector<std::uint64_t> bits;  // [place][symbol][words]: the variants that allow it there
  };

  void add(const Pattern& pattern);
  void pack(Bucket& bucket, std::size_t length) const;
  std::vector<int> numbers(const std::u32string& text);

  PriorSpec spec_;  // without its patterns
  std::map<char32_t, int> numbers_;
  std::map<std::size_t, Bucket> buckets_;  // by length
};

// Layouts seen through the classes of a model or a vote.
class TextPrior {
 public:
  // `symbols` of all classes; the blank, and symbols of more than one character, are in no layout.
  TextPrior(std::shared_ptr<const Layouts> layouts, const std::vector<std::u32string>& symbols);

  std::size_t classes() const { return numbers_.size(); }

  // What the prior adds to the log-likelihood of this text; finite. A label beyond the classes is a symbol of
  // no layout.
  double operator()(const Labels& labels) const;

  // What it adds to the likeliest of all texts, at most.
  double largest() const { return layouts_->largest_log_weight(); }

 private:
  std::shared_ptr<const Layouts> layouts_;
  std::vector<int> numbers_;       // of each class
  std::vector<double> free_logs_;  // of each class
};

}  // namespace lprfast::ctc
