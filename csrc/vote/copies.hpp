// Which reads are of one picture, and which of many reads to keep.
#pragma once

#include <cstddef>
#include <vector>

#include "vote/voter.hpp"

namespace lprfast::vote {

// Root mean square difference of two signatures in gray levels. A crop that is only recompressed or gets new
// sensor noise stays within about one; two looks at a plate that moved differ by more than three.
constexpr double kSame = 1.0;
constexpr double kDifferent = 3.0;

// How much of two reads is one picture, 0-1: they share so much of their weight. By the signatures; where one
// lacks its own, equal log-posteriors make a copy.
double picture_similarity(const Ballot& left, const Ballot& right);

// Two bare texts without signatures, equal in all their confidences: maybe one read given twice, maybe two.
bool maybe_copies(const Ballot& left, const Ballot& right);

// Keeps `most` of the voters, which are best first and stay so. Copies go first, however good they are: they
// would push out every other picture. Those that go are marked as surplus.
void keep_different(std::vector<Voter>& voters, std::size_t most, std::vector<Contribution>& contributions);

}  // namespace lprfast::vote
