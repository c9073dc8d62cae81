// CTC in C++ alone, for the sanitizers: small cases by hand, ends of the ranges, every instruction set.
#include "ctc/ctc.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "check.hpp"
#include "ctc/scorer.hpp"
#include "ctc/text_prior.hpp"

using lprfast::Isa;
using lprfast::ScoresView;
namespace ctc = lprfast::ctc;

namespace {

constexpr float kImpossible = -std::numeric_limits<float>::infinity();

bool near(double a, double b) { return std::fabs(a - b) < 1e-6; }

std::vector<float> logs(std::vector<float> posteriors) {
  for (float& value : posteriors) value = std::log(value);
  return posteriors;
}

void test_greedy() {
  const std::vector<float> scores =
      logs({0.8F, 0.1F, 0.1F, 0.3F, 0.5F, 0.2F, 0.05F, 0.75F, 0.2F, 0.1F, 0.3F, 0.6F});
  std::vector<ctc::Character> found;
  for (const Isa isa : lprfast::available_isas()) {
    ctc::greedy({scores.data(), 4, 3}, 0, found, isa);
    CHECK(found.size() == 2);
    if (found.size() != 2) continue;
    CHECK(found[0].label == 1 && found[0].step == 2 && found[0].runner_up == 2);
    CHECK(near(found[0].confidence, 0.75) && near(found[0].runner_up_confidence, 0.2));
    CHECK(found[1].label == 2 && found[1].step == 3 && found[1].runner_up == 1);
  }
}

void test_beam_and_score() {
  const std::vector<float> scores = logs({0.6F, 0.4F, 0.6F, 0.4F});
  const ScoresView view{scores.data(), 2, 2};
  const auto found = ctc::beam_search(view, 0, {10, 10, 0});
  CHECK(found.size() == 2);
  CHECK(found[0].labels == ctc::Labels{1} && near(std::exp(found[0].log_prob), 0.64));
  CHECK(found[1].labels.empty() && near(std::exp(found[1].log_prob), 0.36));
  const int text[] = {1, 1};
  CHECK(near(ctc::score(view, 0, text, 1), found[0].log_prob));
  CHECK(ctc::score(view, 0, text, 2) == kImpossible);  // A doubled letter needs a blank between.
}

void test_no_steps() {
  const ScoresView nothing{nullptr, 0, 3};
  std::vector<ctc::Character> characters(2);
  ctc::greedy(nothing, 0, characters);
  CHECK(characters.empty());
  const auto found = ctc::beam_search(nothing, 0, {});
  CHECK(found.size() == 1 && found[0].labels.empty() && found[0].log_prob == 0);
  const int text[] = {1};
  CHECK(ctc::score(nothing, 0, text, 0) == 0);
  CHECK(ctc::score(nothing, 0, text, 1) == kImpossible);
}

void test_scorer_is_used_again() {
  const std::vector<float> first = logs({0.5F, 0.25F, 0.25F, 0.5F, 0.25F, 0.25F});
  const std::vector<float> second = logs({0.2F, 0.8F});
  ctc::Scorer scorer({first.data(), 2, 3}, 0);
  const int text[] = {1, 2};
  CHECK(near(std::exp(scorer.score(text, 2)), 0.0625));
  CHECK(near(std::exp(scorer.score(text, 1)), 0.25 * 0.5 * 2 + 0.0625));
  scorer.reset({second.data(), 1, 2}, 1);
  const int other[] = {0};
  CHECK(near(std::exp(scorer.score(other, 1)), 0.2));
}

// Every number of classes around the 16 lanes, each array exactly as long as it must be.
void test_row_ends() {
  for (std::size_t classes = 2; classes <= 70; ++classes) {
    std::vector<float> logits(3 * classes);
    for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(i % 7) - 3;
    logits[2 * classes - 1] = 9;
    std::vector<float> expected(logits.size());
    CHECK(ctc::log_softmax({logits.data(), 3, classes}, expected.data(), Isa::scalar));
    for (const Isa isa : lprfast::available_isas()) {
      std::vector<float> scores = logits;
      CHECK(ctc::log_softmax({scores.data(), 3, classes}, scores.data(), isa));
      CHECK(scores == expected);
      ctc::check_scores({scores.data(), 3, classes}, false, 0, isa);
      std::vector<ctc::Character> found;
      ctc::greedy({scores.data() + classes, 1, classes}, 0, found, isa);
      CHECK(found.size() == 1 && found[0].label == static_cast<int>(classes) - 1);
    }
  }
}

void test_what_is_no_score() {
  std::vector<float> out(4);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const std::vector<float> scores = {0, 0, bad, 0};
    for (const Isa isa : lprfast::available_isas()) {
      CHECK(!ctc::log_softmax({scores.data(), 2, 2}, out.data(), isa));
      CHECK(near(out[0], std::log(0.5)) && std::isnan(out[2]));
      CHECK_THROWS((ctc::check_scores({scores.data(), 2, 2}, true, 0, isa), 0), std::invalid_argument);
      CHECK_THROWS((ctc::check_scores({scores.data(), 2, 2}, false, 0, isa), 0), std::invalid_argument);
      ctc::GreedyBatch batch;
      batch.reset(1, 2, 2);
      CHECK(!batch.add({scores.data(), 2, 2}, 0, isa));
    }
  }
  const std::vector<float> none = {kImpossible, kImpossible};
  CHECK(!ctc::log_softmax({none.data(), 1, 2}, out.data()));
  CHECK_THROWS((ctc::check_scores({none.data(), 1, 2}, false, 0), 0), std::invalid_argument);
}

void test_place_characters() {
  // Blank, A, B; the likeliest way to read AB: A at steps 0 and 1, B at 3.
  const std::vector<float> scores =
      logs({0.2F, 0.6F, 0.2F, 0.1F, 0.8F, 0.1F, 0.7F, 0.1F, 0.2F, 0.3F, 0.3F, 0.4F});
  const ScoresView view{scores.data(), 4, 3};
  const std::vector<ctc::Character> found = ctc::place_characters(view, 0, {1, 2});
  CHECK(found.size() == 2);
  if (found.size() != 2) return;
  CHECK(found[0].label == 1 && found[0].step == 1 && near(found[0].confidence, 0.8));
  CHECK(found[1].label == 2 && found[1].step == 3 && found[1].runner_up == 1);
  CHECK(ctc::place_characters(view, 0, {1, 1, 1}).empty());  // needs five steps
  CHECK(ctc::place_characters(view, 0, {}).empty());
  CHECK(ctc::place_characters(view, 0, {2, 2}).size() == 2);
}

void test_text_prior() {
  ctc::PriorSpec spec;
  spec.patterns = {{0.5, {{U"A", U"AB"}, {U"1", U"2"}}}, {0.5, {{U"AB", U"CD"}, {U"1"}}}};
  spec.free_logs = {{U'A', std::log(0.1)}, {U'1', std::log(0.1)}};
  spec.rare_log = spec.length_log = std::log(0.5);
  spec.escape = 0.5;
  spec.strength = 1;
  spec.ceiling = 100;
  const auto layouts = std::make_shared<ctc::Layouts>(spec);
  const ctc::TextPrior prior(layouts, {U"", U"A", U"B", U"1", U"C", U"x", U"long"});
  // A1: 0.5 / 4, on a free plate 0.1 * 0.1 * 0.5. AB1: 0.5 / 4 + 0.5 / 2, free 0.1 * 0.5 * 0.1 * 0.5.
  CHECK(near(prior({1, 3}), std::log(0.5 * 0.125 / 0.005 + 0.5)));
  CHECK(near(prior({1, 2, 3}), std::log(0.5 * 0.375 / 0.0025 + 0.5)));
  for (const ctc::Labels& labels : {ctc::Labels{}, {1}, {1, 1}, {2, 1}, {4, 5, 3}, {6, 3}, {1, 3, 3, 3, 3}}) {
    CHECK(near(prior(labels), std::log(0.5)));
  }
  spec.patterns.clear();
  CHECK_THROWS((ctc::Layouts(spec), 0), std::invalid_argument);
  spec.patterns = {{1, {{U""}}}};
  CHECK_THROWS((ctc::Layouts(spec), 0), std::invalid_argument);
  spec.patterns = {{1, std::vector<std::vector<std::u32string>>(33, {U"A"})}};
  CHECK_THROWS((ctc::Layouts(spec), 0), std::invalid_argument);
}

}  // namespace

int main() {
  test_greedy();
  test_beam_and_score();
  test_no_steps();
  test_scorer_is_used_again();
  test_row_ends();
  test_what_is_no_score();
  test_place_characters();
  test_text_prior();
  return lprfast::testing::failures() != 0;
}
