// The published ways to make one plate of many reads, beside our own. docs/voting.md has the formulas.
#pragma once

#include <string>
#include <vector>

#include "vote/vote.hpp"

namespace lprfast::vote {

enum class Rule { fused, best, majority, mvcp, rover, product };

// Throws std::invalid_argument that lists the rules when there is none of this name.
Rule rule_of(const std::string& name);

// Which ballots take part is the same for all rules, but for one thing: those that vote on texts set a ballot
// without a text aside, and `product` those whose time steps do not fit. Copies of a read each count, as
// published. No probability but that of `fused` is calibrated, and only `fused` takes a watchlist.
Result decide_by(Rule rule, const std::vector<Ballot>& ballots, const Options& options,
                 const Watchlist* watchlist = nullptr);

}  // namespace lprfast::vote
