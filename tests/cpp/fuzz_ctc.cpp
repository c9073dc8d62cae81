// Any bytes as scores: nothing crashes, and what holds for every input is checked. With -DLPRFAST_LIBFUZZER
// for libFuzzer; without it a program that takes seconds and, to repeat a run, a seed.
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <stdexcept>

#include "check.hpp"
#include "ctc/ctc.hpp"
#include "ctc/scorer.hpp"

using lprfast::Isa;
using lprfast::ScoresView;
namespace ctc = lprfast::ctc;

namespace {

constexpr double kSlack = 1e-9;

std::vector<int> plain_greedy(ScoresView view, int blank) {
  std::vector<int> labels;
  int previous = blank;
  for (std::size_t t = 0; t < view.steps; ++t) {
    int best = 0;
    for (int k = 1; k < static_cast<int>(view.classes); ++k) {
      if (view.row(t)[k] > view.row(t)[best]) best = k;
    }
    if (best != blank && best != previous) labels.push_back(best);
    previous = best;
  }
  return labels;
}

void check_greedy(ScoresView view, int blank, ctc::Scorer& scorer) {
  const std::vector<int> expected = plain_greedy(view, blank);
  for (const Isa isa : lprfast::available_isas()) {
    std::vector<ctc::Character> found;
    ctc::greedy(view, blank, found, isa);
    CHECK(found.size() == expected.size());
    for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
      CHECK(found[i].label == expected[i]);
      CHECK(found[i].confidence >= found[i].runner_up_confidence);
      CHECK(i == 0 || found[i].step > found[i - 1].step);
    }
  }
  double path = 0;
  for (std::size_t t = 0; t < view.steps; ++t) {
    float best = view.row(t)[0];
    for (std::size_t k = 1; k < view.classes; ++k) best = std::max(best, view.row(t)[k]);
    path += static_cast<double>(best);
  }
  CHECK(scorer.score(expected.data(), expected.size()) >= path - kSlack * (1 + std::fabs(path)));
}

void check_beam(ScoresView view, int blank, const ctc::BeamOptions& options, ctc::Scorer& scorer) {
  const auto found = ctc::beam_search(view, blank, options);
  CHECK(!found.empty() &&
        found.size() <= static_cast<std::size_t>(std::min(options.beam_size, options.nbest)));
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double exact = scorer.score(found[i].labels.data(), found[i].labels.size());
    CHECK(std::isfinite(found[i].log_prob));
    CHECK(found[i].log_prob <= exact + kSlack * (1 + std::fabs(exact)));
    CHECK(i == 0 || found[i].log_prob <= found[i - 1].log_prob);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kHeader = 5;
  if (size < kHeader) return 0;
  const std::size_t classes = 2 + data[0] % 70;
  const int blank = static_cast<int>(data[1] % classes);
  ctc::BeamOptions options;
  options.beam_size = 1 + data[2] % 40;
  options.nbest = 1 + data[3] % 50;
  options.prune = data[4] % 2 == 0 ? 0 : (data[4] - 1) / 256.0;
  const std::size_t steps = (size - kHeader) / (classes * sizeof(float));
  std::vector<float> logits(steps * classes);
  if (!logits.empty()) std::memcpy(logits.data(), data + kHeader, logits.size() * sizeof(float));

  std::vector<float> scores(logits.size());
  const bool good = ctc::log_softmax({logits.data(), steps, classes}, scores.data());
  bool accepted = true;
  try {
    ctc::check_scores({logits.data(), steps, classes}, true, 0);
  } catch (const std::invalid_argument&) {
    accepted = false;
  }
  CHECK(good == accepted);
  if (!good) return 0;
  const ScoresView view{scores.data(), steps, classes};
  ctc::check_scores(view, false, 0);
  ctc::Scorer scorer(view, blank);
  check_greedy(view, blank, scorer);
  check_beam(view, blank, options, scorer);
  return 0;
}

#ifndef LPRFAST_LIBFUZZER
namespace {

// Mostly scores that mean something, at scales from flat to certain; sometimes bytes that mean nothing.
std::vector<std::uint8_t> random_input(std::mt19937& random) {
  std::vector<std::uint8_t> bytes(5 + random() % 8000);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  if (random() % 8 == 0) return bytes;
  constexpr float kScales[] = {0.0F, 0.3F, 3.0F, 30.0F, 1000.0F, 1e38F};
  std::normal_distribution<float> normal(0, 1);
  const float scale = kScales[random() % 6];
  for (std::size_t i = 5; i + sizeof(float) <= bytes.size(); i += sizeof(float)) {
    const float value = random() % 40 == 0 ? -HUGE_VALF : scale * normal(random);
    std::memcpy(bytes.data() + i, &value, sizeof value);
  }
  return bytes;
}

}  // namespace

int main(int count, char** arguments) {
  const int seconds = count > 1 ? std::atoi(arguments[1]) : 5;
  const auto seed = static_cast<std::uint32_t>(count > 2 ? std::strtoul(arguments[2], nullptr, 10)
                                                         : std::random_device{}());
  std::printf("fuzz_ctc: %d seconds, seed %u\n", seconds, seed);
  std::mt19937 random(seed);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  int runs = 0;
  for (; std::chrono::steady_clock::now() < end && lprfast::testing::failures() == 0; ++runs) {
    const std::vector<std::uint8_t> input = random_input(random);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("fuzz_ctc: %d inputs, %d failures\n", runs, lprfast::testing::failures());
  return lprfast::testing::failures() == 0 ? 0 : 1;
}
#endif
