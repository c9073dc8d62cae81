#include "vote/slot_rules.hpp"

#include <algorithm>
#include <map>

#include "vote/align.hpp"

namespace lprfast::vote {

namespace {

constexpr double kRoverAlpha = 0.5;           // weight of the count beside the mean confidence
constexpr double kRoverNullConfidence = 0.7;  // of a null arc: what a typical wrong character has, at most
// Of NIST's tool, in whole numbers so that equal alignments cost the same to the bit.
constexpr double kSubstitution = 4;
constexpr double kGap = 3;
// A slot that another read has skipped is the likelier one to be skipped again.
constexpr double kKnownGap = 2;

struct Choice {
  int label = 0;  // the blank: no character
  double score = 0;
};
using Choices = std::vector<Choice>;  // of one place, best first, never empty

// The best choice of every place, and as alternatives each other choice by itself.
void decide_places(const std::vector<Choices>& places, const Options& options, Result& result) {
  result.probability = 1;
  for (const Choices& choices : places) result.probability *= choices.front().score;
  const auto text = [&](std::size_t changed, int label) {
    Labels labels;
    for (std::size_t i = 0; i < places.size(); ++i) {
      labels.push_back(i == changed ? label : places[i].front().label);
    }
    labels.erase(std::remove(labels.begin(), labels.end(), options.blank), labels.end());
    return labels;
  };
  result.labels = text(places.size(), options.blank);
  std::map<Labels, double> others;  // one text can come of several places
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Choice& chosen = places[i].front();
    Character character{chosen.label, static_cast<float>(chosen.score), options.blank, 0};
    for (std::size_t j = 1; j < places[i].size(); ++j) {
      const Choice& other = places[i][j];
      others[text(i, other.label)] += result.probability * other.score / chosen.score;
      if (other.label == options.blank || character.runner_up != options.blank) continue;
      character.runner_up = other.label;
      character.runner_up_confidence = static_cast<float>(other.score);
    }
    if (chosen.label != options.blank) result.characters.push_back(character);
  }
  std::vector<Alternative> alternatives;
  for (const auto& [labels, probability] : others) {
    if (!labels.empty()) alternatives.push_back({labels, probability});
  }
  set_alternatives(std::move(alternatives), options, result);
}

struct Arc {
  std::size_t count = 0;
  double confidences = 0;
};
using Slot = std::map<int, Arc>;  // by label, the null arcs under the blank

std::vector<std::size_t> align_to(const std::vector<Slot>& slots, const Labels& labels, int blank) {
  std::vector<double> costs, skip;
  for (const Slot& slot : slots) {
    skip.push_back(slot.count(blank) ? kKnownGap : kGap);
    for (const int label : labels) costs.push_back(slot.count(label) ? 0 : kSubstitution);
  }
  return align(costs, skip, labels.size(), kGap);
}

// `before`: how many reads the slots hold already.
std::vector<Slot> add_to(std::vector<Slot> slots, const Vote& vote, std::size_t before, int blank) {
  const std::vector<std::size_t> slot_of = align_to(slots, vote.voter->labels, blank);
  std::vector<Slot> merged;
  std::size_t next = 0;  // first old slot not yet taken over
  const auto skip_until = [&](std::size_t end) {
    for (; next < end; ++next) {
      ++slots[next][blank].count;
      merged.push_back(std::move(slots[next]));
    }
  };
  for (std::size_t i = 0; i < slot_of.size(); ++i) {
    if (slot_of[i] != kUnmatched) {
      skip_until(slot_of[i]);
      merged.push_back(std::move(slots[next++]));
    } else {
      merged.emplace_back();
      if (before > 0) merged.back()[blank].count = before;
    }
    Arc& arc = merged.back()[vote.voter->labels[i]];
    ++arc.count;
    arc.confidences += static_cast<double>(vote.characters[i].confidence);
  }
  skip_until(slots.size());
  return merged;
}

Choices choices_of(const Slot& slot, std::size_t reads, int blank) {
  Choices choices;
  for (const auto& [label, arc] : slot) {
    const double count = static_cast<double>(arc.count);
    const double confidence = label == blank ? kRoverNullConfidence : arc.confidences / count;
    const double share = count / static_cast<double>(reads);
    choices.push_back({label, kRoverAlpha * share + (1 - kRoverAlpha) * confidence});
  }
  // Of equal scores a character comes before none, then the first of the charset.
  std::sort(choices.begin(), choices.end(), [blank](const Choice& left, const Choice& right) {
    if (left.score != right.score) return left.score > right.score;
    if ((left.label == blank) != (right.label == blank)) return right.label == blank;
    return left.label < right.label;
  });
  return choices;
}

}  // namespace

void set_alternatives(std::vector<Alternative> others, const Options& options, Result& result) {
  std::sort(others.begin(), others.end(), [](const Alternative& left, const Alternative& right) {
    if (left.probability != right.probability) return left.probability > right.probability;
    return left.labels < right.labels;
  });
  if (others.size() > options.alternatives) others.resize(options.alternatives);
  double sum = 0;
  for (const Alternative& other : others) sum += other.probability;
  const double left = std::max(0.0, 1 - result.probability);
  if (sum > left) {
    for (Alternative& other : others) other.probability *= left / sum;
  }
  result.alternatives = std::move(others);
}

void decide_mvcp(std::vector<Vote> votes, const Options& options, Result& result) {
  std::sort(votes.begin(), votes.end(),
            [](const Vote& left, const Vote& right) { return left.index < right.index; });
  std::size_t length = votes.front().voter->labels.size();
  for (const Vote& vote : votes) length = std::min(length, vote.voter->labels.size());
  std::vector<Choices> places(length);
  for (std::size_t i = 0; i < length; ++i) {
    Choices& choices = places[i];  // in the order in which the symbols first appear
    for (const Vote& vote : votes) {
      const int label = vote.voter->labels[i];
      const auto known = std::find_if(choices.begin(), choices.end(),
                                      [label](const Choice& choice) { return choice.label == label; });
      if (known == choices.end()) {
        choices.push_back({label, 1});
      } else {
        known->score += 1;
      }
    }
    std::stable_sort(choices.begin(), choices.end(),
                     [](const Choice& left, const Choice& right) { return left.score > right.score; });
    for (Choice& choice : choices) choice.score /= static_cast<double>(votes.size());
  }
  decide_places(places, options, result);
}

void decide_rover(std::vector<Vote> votes, const Options& options, Result& result) {
  // The network depends on the order: the surest read is its base, so that the caller's order plays no part.
  std::stable_sort(votes.begin(), votes.end(), [](const Vote& left, const Vote& right) {
    if (left.confidence != right.confidence) return left.confidence > right.confidence;
    return left.voter->labels < right.voter->labels;
  });
  std::vector<Slot> slots;
  for (std::size_t i = 0; i < votes.size(); ++i) {
    slots = add_to(std::move(slots), votes[i], i, options.blank);
  }
  std::vector<Choices> places;
  for (const Slot& slot : slots) places.push_back(choices_of(slot, votes.size(), options.blank));
  decide_places(places, options, result);
}

}  // namespace lprfast::vote
