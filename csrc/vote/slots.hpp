// How sure the voters are of each character of a text.
#pragma once

#include <vector>

#include "vote/voter.hpp"

namespace lprfast::vote {

// One per label: its pooled posterior, and the next best symbol with its own.
std::vector<Character> pool_characters(const Labels& labels, const std::vector<Voter>& voters,
                                       double effective_reads, const Options& options);

}  // namespace lprfast::vote
