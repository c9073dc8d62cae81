// The vote in C++: what Python cannot reach, and everything once more under the sanitizers.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <new>
#include <random>
#include <stdexcept>

#include "check.hpp"
#include "core/half.hpp"
#include "core/logistic.hpp"
#include "ctc/ctc.hpp"
#include "vote/align.hpp"
#include "vote/candidates.hpp"
#include "vote/match.hpp"
#include "vote/scorer.hpp"
#include "vote/vote.hpp"
#include "vote/voter.hpp"

namespace {
std::size_t largest_allocation = 0;  // in bytes
}

// Not inlined: where only one of a pair is, GCC takes them for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  largest_allocation = std::max(largest_allocation, size);
  return std::malloc(size > 0 ? size : 1);
}
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* const memory = operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace lprfast;
using vote::Labels;

// Log-posteriors [steps, classes] of random logits; `sharpness` is their standard deviation.
std::vector<float> random_scores(std::mt19937& random, std::size_t steps, std::size_t classes,
                                 double sharpness) {
  std::normal_distribution<double> normal(0, sharpness);
  std::vector<float> scores(steps * classes);
  for (float& score : scores) score = static_cast<float>(normal(random));
  ctc::log_softmax({scores.data(), steps, classes}, scores.data());
  return scores;
}

Labels random_labels(std::mt19937& random, std::size_t most, int classes) {
  Labels labels(random() % (most + 1));
  for (int& label : labels) label = 1 + static_cast<int>(random() % static_cast<unsigned>(classes - 1));
  return labels;
}

void test_half() {
  const float values[] = {0,
                          -0.0f,
                          1,
                          -2,
                          65504,
                          65519.996f,
                          65520,
                          1e30f,
                          5.9604645e-8f,
                          2.9802322e-8f,
                          2.99e-8f,
                          6.0975552e-5f,
                          1.00048828125f,
                          1.00146484375f};
  const std::uint16_t expected[] = {0,      0x8000, 0x3c00, 0xc000, 0x7bff, 0x7bff, 0x7c00,
                                    0x7c00, 1,      0,      1,      0x03ff, 0x3c00, 0x3c02};
  std::uint16_t halves[14];
  float_to_half(values, 14, halves);
  for (int i = 0; i < 14; ++i) CHECK(halves[i] == expected[i]);
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const std::uint16_t half = static_cast<std::uint16_t>(bits);
    float wide;
    std::uint16_t again;
    half_to_float(&half, 1, &wide);
    float_to_half(&wide, 1, &again);
    CHECK(again == half || (std::isnan(wide) && (again & 0x7c00) == 0x7c00 && (again & 0x3ff) != 0));
  }
}

// Many crops side by side, of different lengths, say what ctc::score says of each alone.
void test_scorer() {
  std::mt19937 random(7);
  for (const std::size_t crops : {1u, 15u, 16u, 17u, 40u}) {
    std::vector<std::vector<float>> scores;
    std::vector<vote::Voter> voters(crops);
    vote::Options options;
    options.classes = 5;
    options.floor = -50;
    for (std::size_t i = 0; i < crops; ++i) {
      const std::size_t steps = 1 + random() % 9, classes = 4 + random() % 2;
      scores.push_back(random_scores(random, steps, classes, 2));
      voters[i].scores = {scores.back().data(), steps, classes};
    }
    vote::TrackScorer scorer(voters, options);
    for (int round = 0; round < 20; ++round) {
      const Labels labels = random_labels(random, 6, options.classes);
      std::vector<double> found(crops);
      scorer.score(labels, found.data());
      for (std::size_t i = 0; i < crops; ++i) {
        bool known = true;
        for (const int label : labels) known &= static_cast<std::size_t>(label) < voters[i].scores.classes;
        const double exact = known ? ctc::score(voters[i].scores, 0, labels.data(), labels.size()) : -1e9;
        CHECK(std::abs(found[i] - std::max(exact, options.floor)) < 1e-4);
      }
    }
  }
}

// One with more symbols than any crop has steps is at the floor, and takes no memory to score.
void test_text_longer_than_the_crops() {
  std::mt19937 random(9);
  const std::vector<float> scores = random_scores(random, 3, 4, 1), longer = random_scores(random, 5, 4, 1);
  std::vector<vote::Voter> voters(2);
  voters[0].scores = {scores.data(), 3, 4};
  voters[1].scores = {longer.data(), 5, 4};
  vote::Options options;
  options.classes = 4;
  vote::TrackScorer scorer(voters, options);
  Labels labels;
  for (int i = 0; i < 1000000; ++i) labels.push_back(1 + i % 3);
  double found[2], probabilities[2] = {1, 1};
  largest_allocation = 0;
  scorer.score(labels, found, probabilities);
  CHECK(largest_allocation < 100000);
  CHECK(found[0] == options.floor && found[1] == options.floor);
  CHECK(probabilities[0] == 0 && probabilities[1] == 0);
  // As long as the longer crop, which it fits.
  scorer.score({1, 2, 1, 2, 1}, found, probabilities);
  CHECK(found[0] == options.floor && probabilities[0] == 0 && probabilities[1] > 0);
}

// No text scores higher than its bound, also one with a symbol from elsewhere, or none.
void test_bound() {
  std::mt19937 random(8);
  for (const double sharpness : {0.5, 2.0, 6.0}) {
    std::vector<std::vector<float>> scores;
    std::vector<vote::Voter> voters(1 + random() % 20);
    vote::Options options;
    options.classes = 5;
    options.floor = -50;
    for (vote::Voter& voter : voters) {
      const std::size_t steps = 1 + random() % 9, classes = 4 + random() % 2;
      scores.push_back(random_scores(random, steps, classes, sharpness));
      scores.back()[random() % scores.back().size()] = -INFINITY;
      voter.scores = {scores.back().data(), steps, classes};
      voter.weight = 1 / static_cast<double>(voters.size());
    }
    vote::TrackScorer scorer(voters, options);
    vote::ScoreBound bound(voters, options);
    double tightest = 1e9;
    for (int round = 0; round < 200; ++round) {
      Labels labels = random_labels(random, 6, options.classes + 1);
      if (labels.empty()) continue;
      std::vector<double> found(voters.size());
      scorer.score(labels, found.data());
      double score = 0;
      for (std::size_t i = 0; i < voters.size(); ++i) score += voters[i].weight * found[i];
      const double most = bound.of(labels, [&](std::size_t) { return options.floor; });
      CHECK(score <= most);
      tightest = std::min(tightest, most - score);
    }
    CHECK(tightest < 3);
  }
}

void test_labels_of() {
  vote::Options options;
  options.classes = 9;
  const std::int32_t labels[] = {1, vote::kUnknownSymbol, 3};
  const std::int64_t offsets[] = {0, 0, 2, 3};
  const vote::Watchlist watchlist{labels, offsets, 3, 0};
  CHECK((vote::labels_of(watchlist, 0, options) == Labels{9}));
  CHECK((vote::labels_of(watchlist, 1, options) == Labels{1, 9}));
  CHECK((vote::labels_of(watchlist, 2, options) == Labels{3}));
}

void test_align() {
  using vote::kUnmatched;
  const double same = vote::match_cost(1), other = vote::match_cost(0);
  CHECK(same == 0 && other < 2 * vote::kGapCost);
  // "ABC" against "AXC": a wrong character stays a substitution.
  const std::vector<double> gaps3(3, vote::kGapCost);
  CHECK((vote::align({same, other, other, other, other, other, other, other, same}, gaps3, 3) ==
         std::vector<std::size_t>{0, 1, 2}));
  // "ABC" against "AC" and "AC" against "ABC": a missing and a surplus character.
  CHECK((vote::align({same, other, other, other, other, same}, gaps3, 2) == std::vector<std::size_t>{0, 2}));
  CHECK((vote::align({same, other, other, other, other, same}, {2.5, 2.5}, 3) ==
         std::vector<std::size_t>{0, kUnmatched, 1}));
  CHECK(vote::align({}, {}, 2) == std::vector<std::size_t>(2, kUnmatched));
  CHECK(vote::align({}, {2.5}, 0).empty());
}

void test_network() {
  vote::Options options;
  options.classes = 5;
  // Three texts of different lengths; the middle character is missed once and doubted once.
  const Labels texts[] = {{1, 2, 3}, {1, 3}, {1, 2, 3}, {1, 4, 3}};
  std::vector<vote::Ballot> ballots(4);
  for (int i = 0; i < 4; ++i) ballots[i].labels = texts[i];
  std::vector<vote::Contribution> contributions;
  std::vector<vote::Voter> voters = vote::prepare(ballots, options, contributions);
  vote::weigh(voters, options);
  vote::Network network(options.classes, options.blank);
  for (const vote::Voter& voter : voters) network.add(voter);
  const std::vector<Labels> best = network.best(3);
  CHECK(best.size() == 3);
  CHECK((best[0] == Labels{1, 2, 3}));
  CHECK((best[1] == Labels{1, 3} || best[1] == Labels{1, 4, 3}));
}

void test_logistic() {
  const Logistic logistic{{2, -1}, 0.5};
  CHECK(std::abs(logistic_probability(logistic, {0.25, 1}) - 0.5) < 1e-15);
  CHECK(logistic_probability({{1}, 0}, {1e9}) < 1 && logistic_probability({{1}, 0}, {-1e9}) > 0);
  CHECK(std::abs(logit(0.75) - std::log(3.0)) < 1e-12 && std::isfinite(logit(1)) && std::isfinite(logit(0)));
  CHECK(std::abs(others_factor(0.8, 0.4) - 0.5) < 1e-12);  // sinks: all keep their ratios
  CHECK(std::abs(others_factor(0.8, 0.9) - 0.5) < 1e-12);  // rises: they share what it leaves
  CHECK_THROWS((check_logistic(logistic, 1), 0), std::invalid_argument);
  CHECK_THROWS((check_logistic({{NAN}, 0}, 1), 0), std::invalid_argument);
  CHECK_THROWS(vote::feature_from_name("width"), std::invalid_argument);
}

bool sane(double value) { return value >= 0 && value <= 1; }

// Whatever the numbers are, the answer is made of probabilities and refers to classes that exist.
void test_random_ballots() {
  std::mt19937 random(11);
  for (int round = 0; round < 400; ++round) {
    const std::size_t count = random() % 6;
    const int classes = 3 + static_cast<int>(random() % 4);
    std::vector<std::vector<float>> scores(count);
    std::vector<std::uint8_t> signature(vote::kSignatureSize, 128);
    std::vector<vote::Ballot> ballots(count);
    for (std::size_t i = 0; i < count; ++i) {
      vote::Ballot& ballot = ballots[i];
      ballot.labels = random_labels(random, 4, classes);
      ballot.width = static_cast<int>(random() % 300);
      ballot.confidence = 0.5;
      if (random() % 3 == 0) ballot.signature = signature.data();
      if (random() % 3 == 0) continue;
      const std::size_t steps = 1 + random() % 8;
      scores[i] = random_scores(random, steps, static_cast<std::size_t>(classes), 0.1 + random() % 5);
      const float odd[] = {NAN, INFINITY, -INFINITY, 3, -1e30f};
      if (random() % 3 == 0) scores[i][random() % scores[i].size()] = odd[random() % 5];
      ballot.log_posteriors = {scores[i].data(), steps, static_cast<std::size_t>(classes)};
    }
    vote::Options options;
    options.classes = classes;
    if (round % 2) {
      options.calibration.features = {vote::Feature::logit_probability, vote::Feature::agreement,
                                      vote::Feature::margin};
      options.calibration.logistic = {{1.0 * (random() % 3), 1, 0.3}, (random() % 200) / 10.0 - 10};
    }
    std::vector<std::int32_t> watched;
    std::vector<std::int64_t> offsets{0};
    for (int text = 0; text < 20; ++text) {
      for (const int label : random_labels(random, 5, classes + 1)) {
        watched.push_back(label == classes ? vote::kUnknownSymbol : label);
      }
      offsets.push_back(static_cast<std::int64_t>(watched.size()));
    }
    const vote::Watchlist watchlist{watched.data(), offsets.data(), 20, round % 2 ? 0.0 : 0.01};
    const vote::Result result = vote::decide(ballots, options, &watchlist);
    CHECK(result.matches.empty() || !result.labels.empty());
    CHECK(result.labels.empty() || round % 2 == 0 || result.matches.size() == 20);
    for (const vote::Match& match : result.matches) {
      CHECK(match.index < 20 && sane(match.probability) && std::isfinite(match.log_ratio));
      const bool won = vote::labels_of(watchlist, match.index, options) == result.labels;
      CHECK(!won || match.probability == result.probability);
    }
    CHECK(sane(result.raw_probability) && sane(result.probability) &&
          result.characters.size() == result.labels.size());
    CHECK(result.contributions.size() == count);
    double total = result.probability, weights = 0;
    for (const vote::Alternative& alternative : result.alternatives) {
      CHECK(sane(alternative.probability) && alternative.labels != result.labels);
      total += alternative.probability;
    }
    CHECK(total <= 1 + 1e-9);
    for (const vote::Character& character : result.characters) {
      CHECK(sane(character.confidence) && sane(character.runner_up_confidence));
      CHECK(character.label > 0 && character.label < classes && character.runner_up < classes);
    }
    for (const vote::Contribution& contribution : result.contributions) {
      CHECK(sane(contribution.weight) && contribution.log_likelihood <= 0 &&
            contribution.log_likelihood >= -8);
      weights += contribution.weight;
    }
    CHECK(weights < 1e-9 || std::abs(weights - 1) < 1e-9);
  }
}

}  // namespace

int main() {
  test_half();
  test_scorer();
  test_text_longer_than_the_crops();
  test_bound();
  test_labels_of();
  test_align();
  test_network();
  test_logistic();
  test_random_ballots();
  if (lprfast::testing::failures() == 0) std::puts("vote: all passed");
  return lprfast::testing::failures() != 0;
}
