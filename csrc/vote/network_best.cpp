// The n best texts of a confusion network.
#include <algorithm>
#include <cmath>

#include "vote/align.hpp"

namespace lprfast::vote {

namespace {

constexpr std::size_t kChoices = 4;      // symbols tried in one slot
constexpr double kSmallestShare = 0.02;  // of the vote, for a symbol to be tried

struct Path {
  Labels labels;
  double probability = 1;
};

bool better(const Path& left, const Path& right) {
  if (left.probability != right.probability) return left.probability > right.probability;
  return left.labels < right.labels;
}

// Slots without a character make different paths spell one text: the better path stands for both.
void keep_best(std::vector<Path>& paths, std::size_t count) {
  std::sort(paths.begin(), paths.end(), better);
  std::vector<Path> kept;
  for (Path& path : paths) {
    if (kept.size() == count) break;
    const auto same = [&](const Path& other) { return other.labels == path.labels; };
    if (std::none_of(kept.begin(), kept.end(), same)) kept.push_back(std::move(path));
  }
  paths = std::move(kept);
}

}  // namespace

std::vector<Share> Network::choices(const Slot& slot) const {
  std::vector<Share> found;
  for (std::size_t label = 0; label < classes_; ++label) {
    const double share = slot[label] / total_;
    if (share >= kSmallestShare) found.push_back({static_cast<int>(label), share});
  }
  std::sort(found.begin(), found.end(), [](const Share& left, const Share& right) {
    return left.posterior != right.posterior ? left.posterior > right.posterior : left.label < right.label;
  });
  if (found.size() > kChoices) found.resize(kChoices);
  return found;
}

std::vector<Labels> Network::best(std::size_t count) const {
  std::vector<Path> paths(1);
  for (const Slot& slot : slots_) {
    const std::vector<Share> symbols = choices(slot);
    if (symbols.empty()) continue;
    std::vector<Path> longer;
    for (const Path& path : paths) {
      for (const Share& symbol : symbols) {
        longer.push_back({path.labels, path.probability * symbol.posterior});
        if (symbol.label != blank_) longer.back().labels.push_back(symbol.label);
      }
    }
    keep_best(longer, count);
    paths = std::move(longer);
  }
  std::vector<Labels> texts;
  for (Path& path : paths) texts.push_back(std::move(path.labels));
  return texts;
}

}  // namespace lprfast::vote
