#include "ctc/text_prior.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace lprfast::ctc {

namespace {

void require(bool good, const char* message) {
  if (!good) throw std::invalid_argument(std::string("layouts: ") + message);
}

void check(const PriorSpec& spec) {
  require(spec.escape > 0 && spec.escape < 1, "expected an escape over 0 and under 1");
  require(spec.strength >= 0 && spec.strength <= 1, "expected a strength from 0 to 1");
  require(std::isfinite(spec.ceiling) && spec.ceiling >= 0, "expected a finite ceiling of 0 or more");
  require(!spec.patterns.empty(), "expected at least one pattern");
  const auto is_log = [](double value) { return std::isfinite(value) && value <= 0; };
  require(is_log(spec.rare_log) && is_log(spec.length_log), "expected logarithms of probabilities");
  for (const auto& [symbol, value] : spec.free_logs) {
    require(is_log(value), "expected logarithms of probabilities");
  }
  for (const Pattern& pattern : spec.patterns) {
    require(pattern.share > 0 && pattern.share <= 1, "expected shares over 0 and up to 1");
    require(!pattern.elements.empty(), "a pattern holds no text");
    for (const auto& strings : pattern.elements) {
      require(!strings.empty(), "an element of a pattern has no string");
      for (const std::u32string& string : strings) require(!string.empty(), "a string is empty");
    }
  }
}

using ByLength = std::map<std::size_t, std::vector<std::u32string>>;

// All ways to choose one length for each element.
std::vector<std::vector<ByLength::const_iterator>> length_choices(const std::vector<ByLength>& elements) {
  std::vector<std::vector<ByLength::const_iterator>> choices(1);
  for (const ByLength& element : elements) {
    std::vector<std::vector<ByLength::const_iterator>> longer;
    for (const auto& choice : choices) {
      for (auto group = element.begin(); group != element.end(); ++group) {
        longer.push_back(choice);
        longer.back().push_back(group);
      }
    }
    choices = std::move(longer);
    require(choices.size() <= 4096, "a pattern has too many lists of strings of different lengths");
  }
  return choices;
}

}  // namespace

Layouts::Layouts(const PriorSpec& spec) : spec_(spec) {
  check(spec);
  spec_.patterns.clear();
  for (const Pattern& pattern : spec.patterns) add(pattern);
  for (auto& [length, bucket] : buckets_) pack(bucket, length);
}

void Layouts::add(const Pattern& pattern) {
  double probability = pattern.share;
  std::vector<ByLength> elements;
  for (const auto& strings : pattern.elements) {
    probability /= static_cast<double>(strings.size());
    ByLength& groups = elements.emplace_back();
    for (const std::u32string& string : strings) groups[string.size()].push_back(string);
  }
  for (const auto& choice : length_choices(elements)) {
    Variant variant{probability, {}};
    std::vector<std::set<int>> allowed;
    for (const ByLength::const_iterator group : choice) {
      const std::size_t start = allowed.size(), length = group->first;
      Wide wide{start, length, {}};
      allowed.resize(start + length);
      require(allowed.size() <= kLongest, "a pattern has more than 32 characters");
      for (const std::u32string& string : group->second) {
        const std::vector<int> text = numbers(string);
        for (std::size_t i = 0; i < length; ++i) allowed[start + i].insert(text[i]);
        wide.strings.insert(text);
      }
      if (length > 1) variant.wides.push_back(std::move(wide));
    }
    Bucket& bucket = buckets_[allowed.size()];
    bucket.variants.push_back(std::move(variant));
    bucket.allowed.push_back(std::move(allowed));
  }
}

void Layouts::pack(Bucket& bucket, std::size_t length) const {
  bucket.words = (bucket.variants.size() + 63) / 64;
  bucket.bits.assign(length * numbers_.size() * bucket.words, 0);
  for (std::size_t v = 0; v < bucket.variants.size(); ++v) {
    for (std::size_t place = 0; place < length; ++place) {
      for (const int symbol : bucket.allowed[v][place]) {
        const std::size_t row = place * numbers_.size() + static_cast<std::size_t>(symbol);
        bucket.bits[row * bucket.words + v / 64] |= std::uint64_t{1} << (v % 64);
      }
    }
  }
  bucket.allowed.clear();
}

std::vector<int> Layouts::numbers(const std::u32string& text) {
  std::vector<int> found;
  for (const char32_t symbol : text) {
    found.push_back(numbers_.try_emplace(symbol, static_cast<int>(numbers_.size())).first->second);
  }
  return found;
}

int Layouts::number(char32_t symbol) const {
  const auto found = numbers_.find(symbol);
  return found == numbers_.end() ? -1 : found->second;
}

double Layouts::free_log(char32_t symbol) const {
  const auto found = spec_.free_logs.find(symbol);
  return found == spec_.free_logs.end() ? spec_.rare_log : found->second;
}

double Layouts::probability(const std::vector<int>& text) const {
  const auto found = buckets_.find(text.size());
  if (found == buckets_.end() || *std::min_element(text.begin(), text.end()) < 0) return 0;
  const Bucket& bucket = found->second;
  double sum = 0;
  for (std::size_t word = 0; word < bucket.words; ++word) {
    std::uint64_t open = ~std::uint64_t{0};
    for (std::size_t place = 0; place < text.size() && open; ++place) {
      const std::size_t row = place * numbers_.size() + static_cast<std::size_t>(text[place]);
      open &= bucket.bits[row * bucket.words + word];
    }
    for (std::size_t bit = 0; open; ++bit, open >>= 1) {
      if (!(open & 1)) continue;
      const Variant& variant = bucket.variants[word * 64 + bit];
      const bool follows = std::all_of(variant.wides.begin(), variant.wides.end(), [&](const Wide& wide) {
        const auto start = text.begin() + static_cast<std::ptrdiff_t>(wide.start);
        return wide.strings.count({start, start + static_cast<std::ptrdiff_t>(wide.length)}) > 0;
      });
      if (follows) sum += variant.probability;
    }
  }
  return sum;
}

double Layouts::log_weight(double probability, double free_log) const {
  double ratio = std::log(spec_.escape);
  if (probability > 0) {
    // By logarithms: the ratio of a long text may be beyond a double.
    const double follows = std::log((1 - spec_.escape) * probability) - free_log - spec_.length_log;
    ratio = std::max(ratio, follows) + std::log1p(std::exp(-std::abs(ratio - follows)));
  }
  return spec_.strength * std::min(ratio, spec_.ceiling);
}

TextPrior::TextPrior(std::shared_ptr<const Layouts> layouts, const std::vector<std::u32string>& symbols)
    : layouts_(std::move(layouts)) {
  for (const std::u32string& symbol : symbols) {
    const bool single = symbol.size() == 1;
    numbers_.push_back(single ? layouts_->number(symbol[0]) : -1);
    free_logs_.push_back(single ? layouts_->free_log(symbol[0]) : layouts_->rare_log());
  }
}

double TextPrior::operator()(const Labels& labels) const {
  std::vector<int> text(labels.size());
  double free_log = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    const bool known = label < classes();
    text[i] = known ? numbers_[label] : -1;
    free_log += known ? free_logs_[label] : layouts_->rare_log();
  }
  return layouts_->log_weight(layouts_->probability(text), free_log);
}

}  // namespace lprfast::ctc
