#include "vote/align.hpp"

#include <algorithm>
#include <cmath>

namespace lprfast::vote {

namespace {

constexpr float kFaint = -5;        // log posterior under which a symbol plays no part in the network
constexpr double kMismatch = 0.02;  // agreement of characters that share nothing

enum class Move : char { match, skip_row, skip_column };

}  // namespace

double match_cost(double agreement) { return -std::log(kMismatch + (1 - kMismatch) * agreement); }

std::vector<std::vector<Share>> character_shares(const Voter& voter) {
  std::vector<std::vector<Share>> characters;
  for (const ctc::Character& character : voter.characters) {
    std::vector<Share> shares;
    const float* const row = voter.scores.row(static_cast<std::size_t>(character.step));
    for (std::size_t label = 0; label < voter.scores.classes; ++label) {
      if (row[label] > kFaint)
        shares.push_back({static_cast<int>(label), std::min(1.0f, std::exp(row[label]))});
    }
    characters.push_back(std::move(shares));
  }
  return characters;
}

std::vector<std::size_t> align(const std::vector<double>& match, const std::vector<double>& skip,
                               std::size_t columns, double gap) {
  const std::size_t rows = skip.size(), stride = columns + 1;
  std::vector<double> cost((rows + 1) * stride, 0.0);
  std::vector<Move> moves(cost.size(), Move::skip_column);
  for (std::size_t column = 1; column <= columns; ++column) cost[column] = cost[column - 1] + gap;
  for (std::size_t row = 1; row <= rows; ++row) {
    const std::size_t here = row * stride;
    cost[here] = cost[here - stride] + skip[row - 1];
    moves[here] = Move::skip_row;
    for (std::size_t column = 1; column <= columns; ++column) {
      const std::size_t cell = here + column;
      const double matched = cost[cell - stride - 1] + match[(row - 1) * columns + column - 1];
      const double row_skipped = cost[cell - stride] + skip[row - 1];
      const double column_skipped = cost[cell - 1] + gap;
      cost[cell] = std::min({matched, row_skipped, column_skipped});
      moves[cell] = cost[cell] == matched       ? Move::match
                    : cost[cell] == row_skipped ? Move::skip_row
                                                : Move::skip_column;
    }
  }
  std::vector<std::size_t> row_of(columns, kUnmatched);
  for (std::size_t row = rows, column = columns; row > 0 || column > 0;) {
    const Move move = moves[row * stride + column];
    if (move == Move::match) row_of[column - 1] = row - 1;
    row -= move != Move::skip_column;
    column -= move != Move::skip_row;
  }
  return row_of;
}

std::vector<std::size_t> Network::match(const std::vector<std::vector<Share>>& characters) const {
  std::vector<double> costs, skip;
  for (const Slot& slot : slots_) {
    skip.push_back(kGapCost * (1 - slot[static_cast<std::size_t>(blank_)] / total_));
    for (const std::vector<Share>& character : characters) {
      double agreement = 0;
      for (const Share& share : character) {
        agreement += share.posterior * slot[static_cast<std::size_t>(share.label)];
      }
      costs.push_back(match_cost(std::min(1.0, agreement / total_)));
    }
  }
  return align(costs, skip, characters.size());
}

void Network::add(const Voter& voter) {
  const std::vector<std::vector<Share>> characters = character_shares(voter);
  const std::vector<std::size_t> slot_of = match(characters);
  const Slot absent = [&] {
    Slot slot(classes_, 0.0);
    slot[static_cast<std::size_t>(blank_)] = total_;
    return slot;
  }();
  std::vector<Slot> merged;
  std::size_t next = 0;  // first old slot not yet taken over
  const auto take_until = [&](std::size_t end) {
    for (; next < end; ++next) {
      merged.push_back(std::move(slots_[next]));
      merged.back()[static_cast<std::size_t>(blank_)] += voter.weight;
    }
  };
  for (std::size_t i = 0; i < characters.size(); ++i) {
    const bool matched = slot_of[i] != kUnmatched;
    if (matched) take_until(slot_of[i]);
    merged.push_back(matched ? std::move(slots_[next++]) : absent);
    for (const Share& share : characters[i]) {
      merged.back()[static_cast<std::size_t>(share.label)] += voter.weight * share.posterior;
    }
  }
  take_until(slots_.size());
  slots_ = std::move(merged);
  total_ += voter.weight;
}

}  // namespace lprfast::vote
