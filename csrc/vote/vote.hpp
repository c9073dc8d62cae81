// One plate from many reads of one vehicle. docs/voting.md has the formulas and where the defaults come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/views.hpp"
#include "ctc/ctc.hpp"
#include "ctc/text_prior.hpp"
#include "vote/calibrate.hpp"

namespace lprfast::vote {

using ctc::Labels;

constexpr std::size_t kSignatureSize = 64;

// One read. Views and pointers must outlive the call; labels are classes other than the blank; confidences
// are in 0-1 and never NaN.
struct Ballot {
  ScoresView log_posteriors;  // [T, K], K at most Options::classes; null data: a read known by its text only
  Labels labels;              // the text as read; may be empty when there are log-posteriors
  double confidence = 0;      // probability of that text, 0-1
  std::vector<float> confidences;            // per label, 0-1, or empty
  std::vector<int> runners_up;               // per label, or empty
  std::vector<float> runner_up_confidences;  // as long as runners_up
  std::vector<Labels> proposals;             // further texts worth scoring
  int width = 0;                             // native width of the crop in pixels, 0 when unknown
  const std::uint8_t* signature = nullptr;   // kSignatureSize block means of the crop, or null
};

struct Options {
  int classes = 0;  // size of the alphabet, blank included
  int blank = 0;
  double floor = -8;          // log P under which a crop says no more against a text; at least -60
  double correlation = 0.55;  // between the errors of two different crops of one vehicle, 0-1
  double reserve = 5e-3;      // share always kept for a text that nobody proposed
  std::size_t beam_reads = 3;
  int beam_size = 5;
  std::size_t max_voters = 100;
  std::size_t max_candidates = 96;
  std::size_t alternatives = 5;
  const ctc::TextPrior* prior = nullptr;  // over texts, of `classes` classes; null: none
  Calibration calibration;                // of the probability
};

struct Character {
  int label = 0;
  float confidence = 0;  // 0-1
  int runner_up = 0;
  float runner_up_confidence = 0;  // 0-1
};

struct Alternative {
  Labels labels;
  double probability = 0;
};

// unfit: the rule counts something else than what this read brought.
enum class Use { voted, duplicate, invalid, empty, surplus, unfit, silent };

struct Contribution {
  Use use = Use::voted;
  double weight = 0;          // share of the vote, 0-1; all shares sum to 1
  double log_likelihood = 0;  // of the winner on this crop, never under the floor; 0 when it did not vote
  Labels labels;              // this crop's own text
};

// Texts whose probability is asked for, all in one array.
struct Watchlist {
  const std::int32_t* labels = nullptr;   // kUnknownSymbol: no class of the alphabet
  const std::int64_t* offsets = nullptr;  // [size + 1], from 0: where each text begins and the last one ends
  std::size_t size = 0;
  double least = 0;  // texts that are surely less probable may be left out, 0-1
};
constexpr int kUnknownSymbol = -1;

struct Match {
  std::size_t index = 0;   // in the watchlist
  double probability = 0;  // that the vehicle shows it, 0-1
  double log_ratio = 0;    // natural logarithm of how likely it is beside the winner, which has 0
};

struct Result {
  Labels labels;  // empty when no ballot had a text
  double probability = 0;
  double raw_probability = 0;         // before calibration; `probability` where none took place
  std::vector<Character> characters;  // as long as labels
  std::vector<Alternative> alternatives;
  std::vector<Contribution> contributions;  // one per ballot, in the caller's order
  double effective_reads = 0;               // how many independent reads the ballots are worth
  std::vector<Match> matches;               // in the watchlist's order
};

// Never throws for what is in a ballot: one that cannot be used is set aside and says why in its
// contribution.
Result decide(const std::vector<Ballot>& ballots, const Options& options,
              const Watchlist* watchlist = nullptr);

}  // namespace lprfast::vote
